using System;
using System.Globalization;

namespace Pagoda.Cli;

/// <summary>Reads sizes and durations as people write them.</summary>
internal static class Quantity
{
    private const int DecimalBase = 10;
    private const string SizeSuffixes = "KMGT";
    private const int SuffixShift = 10;

    /// <summary>A number of bytes: decimal digits, then nothing, or K, M, G or T for powers of 1024.</summary>
    /// <returns>False for anything else, and for 2^64 or more.</returns>
    internal static bool TryParseSize(string text, out ulong bytes)
    {
        bytes = 0;
        if (text.Length == 0) return false;
        int suffix = SizeSuffixes.IndexOf(char.ToUpperInvariant(text[^1]), StringComparison.Ordinal);
        ReadOnlySpan<char> digits = suffix < 0 ? text : text.AsSpan(0, text.Length - 1);
        if (!ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number)) return false;
        int shift = (suffix + 1) * SuffixShift;
        if (number > ulong.MaxValue >> shift) return false;
        bytes = number << shift;
        return true;
    }

    /// <summary>A positive time: numbers, each followed by h, m, s or ms, as in 90s or 1h30m; a bare number is seconds.
    /// </summary>
    /// <returns>False for anything else, for no time at all, and for more than a hundred years.</returns>
    internal static bool TryParseDuration(string text, out TimeSpan duration)
    {
        const long MillisecondsMax = 100L * 366 * 24 * 3600 * 1000;
        duration = TimeSpan.Zero;
        long total = 0;
        int at = 0;
        while (at < text.Length)
        {
            long number = 0;
            int first = at;
            for (; at < text.Length && char.IsAsciiDigit(text[at]); at++)
            {
                number = number * DecimalBase + (text[at] - '0');
                if (number > MillisecondsMax) return false;
            }
            if (at == first) return false;
            int unitStart = at;
            while (at < text.Length && !char.IsAsciiDigit(text[at])) at++;
            long unit = MillisecondsOf(text.AsSpan(unitStart, at - unitStart), isBare: first == 0 && at == text.Length);
            if (unit == 0 || number > MillisecondsMax / unit) return false;
            total += number * unit;
        }
        if (total is 0 or > MillisecondsMax) return false;
        duration = TimeSpan.FromMilliseconds(total);
        return true;
    }

    private static long MillisecondsOf(ReadOnlySpan<char> unit, bool isBare) => unit switch
    {
        "" when isBare => 1000,
        "ms" => 1,
        "s" => 1000,
        "m" => 60 * 1000,
        "h" => 3600 * 1000,
        _ => 0,
    };
}
