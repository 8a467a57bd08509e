using Pagoda.PageTables;

namespace Pagoda.Tests.PageTables;

/// <summary>The modes that the pmap's tests run in.</summary>
internal static class Formats
{
    public const int PhysBits = 46;

    public static readonly PmapOptions Ept = new() { Kind = TableKind.Ept, PhysBits = PhysBits, Gigapages = true };

    public static readonly PmapOptions EptExecOnly = new()
    {
        Kind = TableKind.Ept, PhysBits = PhysBits, Gigapages = true, ExecOnly = true,
    };

    public static readonly PmapOptions EptEmulated = new()
    {
        Kind = TableKind.Ept, PhysBits = PhysBits, Gigapages = true, HardwareAd = false,
    };

    public static readonly PmapOptions Rvi = new() { Kind = TableKind.Rvi, PhysBits = PhysBits, Gigapages = true };

    public static readonly PmapOptions X86 = new() { Kind = TableKind.X86, PhysBits = PhysBits, Gigapages = true };

    public static readonly PmapOptions EptFiveLevels = new()
    {
        Kind = TableKind.Ept, PhysBits = PhysBits, Gigapages = true, HardwareAd = false, Levels = 5,
    };

    /// <summary>Every mode by name, for fixtures and cases.</summary>
    public static readonly string[] Names = ["Ept", "EptExecOnly", "EptEmulated", "Rvi", "X86"];

    /// <summary>The same and five levels, for tests to which the depth of the tree is nothing.</summary>
    public static readonly string[] NamesAnyDepth = [.. Names, "EptFiveLevels"];

    public static PmapOptions ByName(string name) => name switch
    {
        "Ept" => Ept,
        "EptExecOnly" => EptExecOnly,
        "EptEmulated" => EptEmulated,
        "Rvi" => Rvi,
        "X86" => X86,
        "EptFiveLevels" => EptFiveLevels,
        _ => throw new System.ArgumentOutOfRangeException(nameof(name)),
    };
}
