using System;
using Pagoda.Core;

namespace Pagoda.PageTables;

/// <summary>The type of a pmap and what it may use. Plain data; checked by <see cref="ToFormat"/>.</summary>
public readonly struct PmapOptions()
{
    /// <summary>The hardware format.</summary>
    public TableKind Kind { get; init; } = TableKind.Ept;

    /// <summary>Levels of the tree, 4 or 5.</summary>
    public int Levels { get; init; } = 4;

    /// <summary>Hardware keeps the accessed and dirty bits; false emulates them, with EPT alone.</summary>
    public bool HardwareAd { get; init; } = true;

    /// <summary>2 MiB leaves are allowed.</summary>
    public bool Superpages { get; init; } = true;

    /// <summary>1 GiB leaves are allowed.</summary>
    public bool Gigapages { get; init; }

    /// <summary>EPT: the processor accepts execute-only leaves. Used with hardware A/D alone.</summary>
    public bool ExecOnly { get; init; }

    /// <summary>Width of a host-physical address in bits; 0 takes the arena's.</summary>
    public int PhysBits { get; init; }

    /// <summary>Computes the bits of a pmap's entries.</summary>
    /// <exception cref="ArgumentException">The options contradict each other or name no format; the message says
    /// which and what to do.</exception>
    public PteFormat ToFormat()
    {
        if (Kind > TableKind.Rvi)
            throw Refusal("Kind " + (int)Kind + " names no table format; use X86, Ept or Rvi.");
        if (Levels is < PteFormat.LevelsMin or > Paging.LevelsMax)
            throw Refusal("Levels is " + Levels + "; a tree has 4 or 5.");
        if (PhysBits is < PteFormat.PhysBitsMin or > PteFormat.PhysBitsMax)
            throw Refusal("PhysBits is " + PhysBits + "; a host-physical address has 32 to 52 bits.");
        if (!HardwareAd && Kind != TableKind.Ept)
            throw Refusal(Kind + " tables always have hardware accessed and dirty bits; set HardwareAd, or use Ept.");
        if (Gigapages && !Superpages)
            throw Refusal("Gigapages needs Superpages: a 1 GiB leaf demotes to 2 MiB leaves.");
        return new PteFormat(in this);
    }

    internal PmapOptions WithPhysBits(int physBits) => new()
    {
        Kind = Kind,
        Levels = Levels,
        HardwareAd = HardwareAd,
        Superpages = Superpages,
        Gigapages = Gigapages,
        ExecOnly = ExecOnly,
        PhysBits = physBits,
    };

    private static ArgumentException Refusal(string reason) => new("PmapOptions: " + reason);
}
