using Pagoda.PageTables;

namespace Pagoda.Tests.Support;

/// <summary>The table formats that every test of a whole guest runs with.</summary>
public enum GuestFormat
{
    /// <summary>EPT whose accessed and dirty bits hardware sets.</summary>
    Ept,

    /// <summary>EPT with emulated accessed and dirty bits.</summary>
    EptEmulated,

    /// <summary>AMD's nested tables.</summary>
    Rvi,

    /// <summary>Ordinary x86 tables.</summary>
    X86,
}

/// <summary>What a format stands for.</summary>
public static class GuestFormats
{
    /// <summary>All of them, as cases.</summary>
    public static readonly GuestFormat[] All =
        [GuestFormat.Ept, GuestFormat.EptEmulated, GuestFormat.Rvi, GuestFormat.X86];

    /// <summary>The options of a guest with the format.</summary>
    public static GuestOptions Options(this GuestFormat format, int consumers = 8) => new()
    {
        Tables = format switch
        {
            GuestFormat.Rvi => TableKind.Rvi,
            GuestFormat.X86 => TableKind.X86,
            _ => TableKind.Ept,
        },
        HardwareAd = format != GuestFormat.EptEmulated,
        Consumers = consumers,
    };
}
