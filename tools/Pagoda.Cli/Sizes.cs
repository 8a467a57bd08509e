using System.Globalization;

namespace Pagoda.Cli;

/// <summary>Sizes in bytes, as people read them.</summary>
internal static class Sizes
{
    private const int ShiftStep = 10;
    private const ulong ExactMax = 99_999;
    private static readonly string[] s_units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

    /// <summary>
    /// The size in the largest unit that leaves a whole number (<c>4 KiB</c>, <c>1536 MiB</c>); where that takes more
    /// than five digits, rounded down to a tenth of a larger one (<c>255.5 TiB</c>).
    /// </summary>
    internal static string Text(ulong bytes)
    {
        int unit = 0;
        ulong value = bytes;
        while (unit < s_units.Length - 1 && value != 0 && value % (1UL << ShiftStep) == 0)
        {
            value >>= ShiftStep;
            unit++;
        }
        if (value <= ExactMax) return value.ToString(CultureInfo.InvariantCulture) + " " + s_units[unit];
        ulong remainder = 0;
        while (value >= 1UL << ShiftStep && unit < s_units.Length - 1)
        {
            remainder = value % (1UL << ShiftStep);
            value >>= ShiftStep;
            unit++;
        }
        ulong tenths = remainder * 10 >> ShiftStep;
        return value.ToString(CultureInfo.InvariantCulture) + "." + tenths.ToString(CultureInfo.InvariantCulture) + " "
            + s_units[unit];
    }
}
