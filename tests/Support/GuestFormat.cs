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
    public static readonly GuestFormat[] All = [GuestFormat.Ept, GuestFormat.EptEmulated, GuestFormat.Rvi, GuestFormat.X86];

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

    /// <summary>Hardware's view of a guest's tables.</summary>
    public static WalkFormat HardwareView(Guest guest)
    {
        const ulong Cr0 = 1UL << 31 | 1UL << 16;
        const ulong Cr4 = 1UL << 5;
        const ulong Efer = 1UL << 10 | 1UL << 11;
        int bits = guest.Arena.PhysBits;
        return guest.Options.Tables switch
        {
            TableKind.Ept => WalkFormat.ForEpt(guest.RootRegister, bits, execOnly: false),
            TableKind.Rvi => WalkFormat.ForNpt(guest.RootRegister, bits),
            _ => WalkFormat.ForX86(Cr0, guest.RootRegister, Cr4, Efer, bits),
        };
    }
}
