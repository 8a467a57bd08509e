using Pagoda.Core;

namespace Pagoda.PageTables;

/// <summary>The bits of a pmap's entries, computed once from its type and capabilities
/// (<see cref="PmapOptions.ToFormat"/>).</summary>
/// <remarks>
/// Plain data: kernels copy each mask they use into a local of its own. A bit that the format lacks is 0 here, so that
/// testing it is false without a branch.
/// <code>
///      63   56    55   54    53    52   51:12  11    10    9   8   7   6    5   4  3  2   1   0
///    +----+-----+----+-----+-----+-----+------+-----+-----+---+---+---+----+---+--+--+---+---+---+
///    | NX |W off|lock|  -  |  -  |  -  | frame|wired|manag| - | G |PS | M  | A |PC|PW| U |RW | V | X86, RVI
///    | nx |W off|lock|  -  |  -  |  -  | frame|wired|manag| M | A |PS |IPAT| memtype | X | W | R | EPT
///    | nx |W off|lock|X off| RW  |  V  | frame|wired|manag| - | - |PS |IPAT| memtype | X | M | A | EPT, emulated
///    +----+-----+----+-----+-----+-----+------+-----+-----+---+---+---+----+---------+---+---+---+
/// </code>
/// With emulated bits hardware's read right is A and its write right is M, so it faults on the first use of each. An
/// entry that is not accessed grants hardware nothing (its X is parked in bit 54), which every processor accepts. nx:
/// EPT stores it without effect; there, bit 2 (or the parked bit) decides.
/// </remarks>
[AllocationFree]
public readonly partial struct PteFormat
{
    /// <summary>Software: reclaim must not take the mapping.</summary>
    public const ulong Wired = SoftwareBits.Wired;

    /// <summary>Software: the leaf maps an arena frame whose marks the engine keeps.</summary>
    public const ulong Managed = SoftwareBits.Managed;

    /// <summary>Software: the lock of a window, in its PDE (also an absent one) or a 1 GiB leaf.</summary>
    public const ulong WindowLock = SoftwareBits.WindowLock;

    /// <summary>
    /// Software: writing to the pages of a superpage is allowed, but none has M, so that its entry lacks the write
    /// right. The first write demotes it and gives the leaves that right back.
    /// </summary>
    public const ulong WriteParked = SoftwareBits.ParkedWrite;

    internal const int PhysBitsMin = 32;
    internal const int PhysBitsMax = 52;
    internal const int LevelsMin = 4;
    private const ulong AddressField = ((1UL << PhysBitsMax) - 1) & ~Paging.PageOffsetMask;

    /// <summary>Bits a parked execute right is away from its place.</summary>
    private const int ParkShift = 52;
    private const byte ParkingMovesExecute = EptBits.Execute << ParkShift == SoftwareBits.ParkedExecute ? 0 : -1;

    /// <summary>The entry is valid if any of these is set.</summary>
    public readonly ulong Valid;

    /// <summary>Set when data may be read.</summary>
    public readonly ulong Readable;

    /// <summary>Set when data may be written, as software sees it.</summary>
    public readonly ulong Writable;

    /// <summary>EPT: set when hardware may execute. 0 where <see cref="NoExecute"/> decides.</summary>
    public readonly ulong ExecSet;

    /// <summary>Emulated bits: set instead of <see cref="ExecSet"/> while the entry is not accessed.</summary>
    public readonly ulong ExecParked;

    /// <summary>Set when execution is not allowed.</summary>
    public readonly ulong NoExecute;

    /// <summary>Set in every leaf of X86 and RVI.</summary>
    public readonly ulong User;

    /// <summary>X86: the translation outlives a change of tables. Never set in guest mappings.</summary>
    public readonly ulong Global;

    /// <summary>A: the page was used.</summary>
    public readonly ulong Accessed;

    /// <summary>M: the page was written.</summary>
    public readonly ulong Modified;

    /// <summary>PS: a leaf, in an entry of level 2 or 3.</summary>
    public readonly ulong PageSize;

    /// <summary>The frame of a 4 KiB leaf or of a table. A superpage's lacks the offset bits of its level.</summary>
    public readonly ulong Frame;

    /// <summary>What an entry of a table holds beside the frame: every right, so that leaves decide.</summary>
    public readonly ulong Table;

    /// <summary>The cache bits of a 4 KiB leaf.</summary>
    public readonly ulong CachePage;

    /// <summary>The cache bits of a superpage.</summary>
    public readonly ulong CacheSuperpage;

    /// <summary>The bits that must agree in 512 leaves before they become one.</summary>
    public readonly ulong Promote;

    /// <summary>What goes when the accessed bit is cleared; under emulation also M and X.</summary>
    public readonly ulong AccessedGroup;

    private readonly ulong _cacheWriteBack;
    private readonly ulong _cacheUncacheable;
    private readonly ulong _patPage;
    private readonly ulong _patSuperpage;

    /// <summary>The hardware format.</summary>
    public readonly TableKind Kind;

    /// <summary>Levels of the tree, 4 or 5.</summary>
    public readonly byte Levels;

    /// <summary>Width of a host-physical address in bits.</summary>
    public readonly byte PhysBits;

    /// <summary>The accessed and dirty bits are emulated.</summary>
    public readonly bool EmulatesAd;

    /// <summary>2 MiB leaves are allowed.</summary>
    public readonly bool Superpages;

    /// <summary>1 GiB leaves are allowed.</summary>
    public readonly bool Gigapages;

    /// <summary>A leaf may allow execution alone.</summary>
    public readonly bool ExecOnly;

    internal PteFormat(in PmapOptions options)
    {
        bool ept = options.Kind == TableKind.Ept;
        bool emulated = !options.HardwareAd;
        Kind = options.Kind;
        Levels = (byte)options.Levels;
        PhysBits = (byte)options.PhysBits;
        EmulatesAd = emulated;
        Superpages = options.Superpages;
        Gigapages = options.Gigapages;
        ExecOnly = ept && options.HardwareAd && options.ExecOnly;

        Valid = emulated ? SoftwareBits.EmulatedValid : ept ? EptBits.Rights : X86Bits.Present;
        Readable = emulated ? SoftwareBits.EmulatedValid : ept ? EptBits.Read : X86Bits.Present;
        Writable = emulated ? SoftwareBits.EmulatedWritable : ept ? EptBits.Write : X86Bits.Writable;
        Accessed = emulated ? EptBits.Read : ept ? EptBits.Accessed : X86Bits.Accessed;
        Modified = emulated ? EptBits.Write : ept ? EptBits.Dirty : X86Bits.Dirty;
        ExecSet = ept ? EptBits.Execute : 0;
        ExecParked = emulated ? SoftwareBits.ParkedExecute : 0;
        NoExecute = ept ? EptBits.SuppressVe : X86Bits.NoExecute;
        User = ept ? 0 : X86Bits.User;
        Global = options.Kind == TableKind.X86 ? X86Bits.Global : 0;
        PageSize = ept ? EptBits.PageSize : X86Bits.PageSize;
        Frame = ((1UL << options.PhysBits) - 1) & ~Paging.PageOffsetMask;
        Table = Valid | Readable | Writable | ExecSet | User | Accessed | Modified;

        ulong pat = X86Bits.WriteThrough | X86Bits.CacheDisable;
        _patPage = ept ? 0 : X86Bits.PagePat;
        _patSuperpage = ept ? 0 : X86Bits.SuperpagePat;
        CachePage = ept ? EptBits.MemoryTypeMask | EptBits.IgnorePat : pat | _patPage;
        CacheSuperpage = ept ? EptBits.MemoryTypeMask | EptBits.IgnorePat : pat | _patSuperpage;
        _cacheWriteBack = ept ? EptType(MemoryType.WriteBack) : 0;        // PAT index 0 is WB at power-on,
        _cacheUncacheable = ept ? EptType(MemoryType.Uncacheable) : pat;  // index 3 is UC (AMD64 APM volume 2, "PAT").

        AccessedGroup = emulated ? Accessed | Modified | ExecSet : Accessed;
        Promote = Valid | Readable | Writable | ExecSet | ExecParked | NoExecute | User | Global | Accessed | Modified
            | CachePage | Wired | Managed;

        Invariant.Require(((Table | NoExecute | ExecParked | Wired | Managed | WindowLock | WriteParked)
            & AddressField) == 0);
        Invariant.Require((Accessed & Modified) == 0);
        Invariant.Require(((Accessed | Modified) & (Wired | Managed | WindowLock | PageSize)) == 0);
    }

    /// <summary>The value of the register that points hardware at the tree: EPTP, nCR3 or CR3.</summary>
    /// <param name="rootHpa">The top table, in bytes, page-aligned.</param>
    public ulong RootRegister(ulong rootHpa)
    {
        Invariant.Require((rootHpa & ~Frame) == 0);
        if (Kind != TableKind.Ept) return rootHpa;
        ulong levels = (ulong)(Levels - 1) << EptpBits.LevelsShift;
        return rootHpa | EptpBits.WriteBack | levels | (EmulatesAd ? 0 : EptpBits.AccessedDirty);
    }

    private static ulong EptType(MemoryType type) => EptBits.IgnorePat | ((ulong)type << EptBits.MemoryTypeShift);
}
