using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Pagoda.Cli;

/// <summary>Numbers in hexadecimal, as options take them and answers give them.</summary>
internal static class Hex
{
    /// <summary>Lower case, without leading zeros: <c>0x105e</c>.</summary>
    internal static string Text(ulong value) => "0x" + value.ToString("x", CultureInfo.InvariantCulture);

    /// <summary>All sixteen digits.</summary>
    internal static string Wide(ulong value) => "0x" + value.ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>Reads up to 16 hexadecimal digits, with or without <c>0x</c>.</summary>
    internal static bool TryParse([NotNullWhen(true)] string? text, out ulong value)
    {
        value = 0;
        if (text is null) return false;
        bool hasPrefix = text.StartsWith("0x", System.StringComparison.OrdinalIgnoreCase);
        return ulong.TryParse(hasPrefix ? text[2..] : text, NumberStyles.AllowHexSpecifier,
            CultureInfo.InvariantCulture, out value);
    }
}
