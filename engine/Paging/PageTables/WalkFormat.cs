using System;
using System.Runtime.CompilerServices;
using Pagoda.Core;

namespace Pagoda.PageTables;

/// <summary>What a processor knows of tables before it walks them: root, shape, reserved bits, modes.</summary>
/// <remarks>
/// It describes what hardware sees, never what the pmap means: an emulated accessed bit is here the read right. The
/// masks are computed once, so a walk tests an entry with one mask a level. Protection keys, shadow stacks and
/// mode-based execute control are not modelled; their bits are ignored, as on a processor without them.
/// </remarks>
public readonly partial struct WalkFormat
{
    /// <summary>The widest physical address of the formats, in bits.</summary>
    public const int PhysBitsMax = 52;

    /// <summary>The narrowest physical address that is accepted, in bits.</summary>
    public const int PhysBitsMin = 32;

    internal const ulong FrameMask = (1UL << PhysBitsMax) - Paging.PageBytes;

    private const int ReservedOfTables = Paging.PdptLevel;

    private readonly ReservedMasks _reserved;

    /// <summary>The host-physical (for a guest's tables: guest-physical) address of the root table.</summary>
    public readonly ulong Root;

    /// <summary>Set at bit n: an EPT entry with n as its low six bits (rights, type) is misconfigured.</summary>
    internal readonly ulong IllegalLowBits;

    /// <summary>What the root register points to.</summary>
    public readonly WalkTable Table;

    /// <summary>Levels of tables: 0 unpaged, 2, 3, 4 or 5.</summary>
    public readonly int Levels;

    /// <summary>Bits of a physical address.</summary>
    public readonly int PhysBits;

    /// <summary>Address bits that the tables translate; above them lies the sign or nothing.</summary>
    public readonly int AddressBits;

    /// <summary>Set at bit n: an entry of level n with bit 7 is a leaf. Level 1 is not in it.</summary>
    internal readonly int LeafLevels;

    /// <summary>Walks set accessed and dirty bits. Always so but for EPT, where EPTP bit 6 decides.</summary>
    public readonly bool HasAccessedDirty;

    /// <summary>EFER.NXE: bit 63 forbids fetches, and is reserved without it.</summary>
    public readonly bool HasNoExecute;

    /// <summary>CR0.WP: a supervisor write honours read-only pages.</summary>
    public readonly bool WriteProtect;

    /// <summary>CR4.SMEP: no supervisor fetch from user pages.</summary>
    public readonly bool Smep;

    /// <summary>CR4.SMAP: no supervisor data access to user pages unless <see cref="AlignmentCheck"/>.</summary>
    public readonly bool Smap;

    /// <summary>
    /// RFLAGS.AC, which lifts SMAP for explicit accesses. The caller sets it, see <see cref="WithAlignmentCheck"/>.
    /// </summary>
    public readonly bool AlignmentCheck;

    private WalkFormat(WalkTable table, ulong root, int levels, int physBits, int addressBits, bool gigapages)
    {
        RequirePhysBits(physBits);
        Table = table;
        Root = root;
        Levels = levels;
        PhysBits = physBits;
        AddressBits = addressBits;
        LeafLevels = gigapages ? (1 << Paging.PdLevel) | (1 << Paging.PdptLevel) : 1 << Paging.PdLevel;
        HasAccessedDirty = true;
        HasNoExecute = true;
        WriteProtect = true;
    }

    [AllocationFree]
    private WalkFormat(in WalkFormat other, bool alignmentCheck)
    {
        this = other;
        AlignmentCheck = alignmentCheck;
    }

    /// <summary>The same tables, seen by an access with RFLAGS.AC as given.</summary>
    [AllocationFree]
    public WalkFormat WithAlignmentCheck(bool alignmentCheck) => new(in this, alignmentCheck);

    /// <summary>The bits that make an entry malformed, once it is present.</summary>
    [AllocationFree]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ulong Reserved(int level, bool isLeaf) => _reserved[isLeaf ? level : level + ReservedOfTables];

    /// <summary>Whether an entry of <paramref name="level"/> maps memory.</summary>
    [AllocationFree]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool IsLeaf(ulong entry, int level) =>
        level == Paging.PtLevel || ((entry & X86Bits.PageSize) != 0 && ((LeafLevels >> level) & 1) != 0);

    private static void RequirePhysBits(int physBits)
    {
        if (physBits is < PhysBitsMin or > PhysBitsMax)
        {
            throw new ArgumentOutOfRangeException(nameof(physBits), physBits,
                $"A physical address has {PhysBitsMin} to {PhysBitsMax} bits.");
        }
    }

    /// <summary>The address bits from <paramref name="physBits"/> up, bit 51 the last.</summary>
    private static ulong BeyondPhysical(int physBits) => ((1UL << PhysBitsMax) - 1) & ~((1UL << physBits) - 1);

    /// <summary>The address bits of a leaf of <paramref name="level"/> below its frame, from bit 12 up.</summary>
    private static ulong BelowFrame(int level) => (1UL << Paging.LevelShift(level)) - Paging.PageBytes;

    // Leaves of levels 1 to 3 at 1 to 3, tables of levels 2 to 5 at 5 to 8.
    [InlineArray(ReservedOfTables + Paging.LevelsMax + 1)]
    private struct ReservedMasks
    {
        private ulong _first;
    }
}
