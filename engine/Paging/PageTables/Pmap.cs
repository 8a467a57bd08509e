using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.PageTables;

/// <summary>The page-table tree of one address space, and its bookkeeping.</summary>
/// <remarks>
/// <para>
/// The tree is exactly what the hardware of its type walks: table pages are arena frames, and <see
/// cref="RootRegister"/> may be loaded into a processor. What the tree needs beside its entries is in the frame records
/// of its tables: level, parent, count of valid entries.
/// </para>
/// <para>
/// <b>Who may do what.</b> Everything that follows a table pointer runs inside a consumer slot of this pmap, so that a
/// page that was unlinked is not reused under it. Without the window lock an entry may only be read, have A or A and M
/// set by compare-and-swap, or lose A (under emulation with M, which goes to the frame). Every other change takes the
/// lock of the window, bit 55 of its PDE (of its PDPTE where a 1 GiB leaf is), and is still one locked operation on one
/// entry, because the lock-free ones go on beside it. The exception is an absent entry under the lock: nobody else
/// writes one, so a release store fills it.
/// </para>
/// <para>
/// <b>Nothing waits here</b> for memory, a grace period or I/O. Without a frame for a table page the answer is
/// <see cref="PmapStatus.NoFrame"/>; what was unlinked goes to the caller's sink, which shoots down and frees.
/// </para>
/// <para>
/// <b>Tables.</b> A missing table of level 2 and above is linked by one compare-and-swap of its parent's absent entry.
/// A leaf table is linked under the lock of its window, with its first entry in it, and unlinked with its last one: a
/// leaf table that is linked is never empty. Upper tables are unlinked by range removal alone: it locks all 512 entries
/// of the empty table, so that nobody can enter one, then clears the parent's. The entries of a dead table stay locked,
/// and whoever waits for such a lock walks again from the root.
/// </para>
/// <para>
/// <b>Superpages.</b> A leaf of level 2 or 3 is writable only with M, so that its marks need no care when it is
/// demoted. A demotion takes a table page; without one the mapping is removed instead. A wired superpage must not be,
/// so it holds the pages of its demotion in reserve.
/// </para>
/// </remarks>
[AllocationFree]
public sealed unsafe partial class Pmap : IDisposable
{
    private const ulong WindowLockBit = PteFormat.WindowLock;
    private const ulong AlwaysSet = ~0UL;
    private const ulong IndexMask = Paging.EntriesPerTable - 1;

    private readonly Arena _arena;
    private readonly byte* _base;
    private readonly FrameTable _frames;
    private readonly PteFormat _format;
    private readonly NativeRegion _countersRegion;
    private readonly Counters* _counters;
    private readonly uint _rootPfn;
    private readonly ulong* _root;
    private readonly ulong _limit;
    private bool _disposed;

    /// <summary>What changes rarely enough to be shared. Resident pages are counted from the tables instead.</summary>
    [StructLayout(LayoutKind.Explicit)]
    private struct Counters
    {
        [FieldOffset(0)] public ulong WiredPages;
        [FieldOffset(8)] public ulong TablePages;
        [FieldOffset(16)] public ulong Promotions;
        [FieldOffset(32)] public ulong Demotions;
        [FieldOffset(64)] public uint ReserveLock;
        [FieldOffset(68)] public uint ReserveFirst;
        [FieldOffset(72)] public ulong ReservePages;
        [FieldOffset(128)] public fixed ulong Failures[(int)PromotionResult.NoFrame + 1];
    }

    /// <summary>Makes an empty tree.</summary>
    /// <param name="arena">Gives the frames of the tables. It must outlive the pmap.</param>
    /// <param name="options">Type and capabilities; PhysBits 0 stands for the arena's.</param>
    /// <exception cref="ArgumentException">The options contradict each other or the arena.</exception>
    /// <exception cref="InsufficientMemoryException">The arena has no frame for the root.</exception>
    public Pmap(Arena arena, in PmapOptions options)
    {
        ArgumentNullException.ThrowIfNull(arena);
        PmapOptions resolved = options.PhysBits == 0 ? options.WithPhysBits(arena.PhysBits) : options;
        if (resolved.PhysBits < arena.PhysBits)
        {
            throw new ArgumentException("PmapOptions: PhysBits is " + resolved.PhysBits + ", but the arena's addresses "
                + "have " + arena.PhysBits + " bits; leave it 0 or make it at least that.", nameof(options));
        }
        _format = resolved.ToFormat();
        _arena = arena;
        _base = arena.Base;
        _frames = arena.Frames;
        _limit = 1UL << Paging.LevelShift(_format.Levels + 1);
        uint root;
        if (arena.Zeroed.TryTake(&root, 1) != 1)
        {
            throw new InsufficientMemoryException(
                "Pmap: the arena has no free frame for the top table; give it more bytes or free a guest.");
        }
        _frames.ToTable(root, 0, _format.Levels);
        _rootPfn = root;
        _root = TableAt(root);
        _countersRegion = NativeRegion.Map((nuint)sizeof(Counters));
        _counters = (Counters*)_countersRegion.Base;
        _counters->TablePages = 1;
    }

    /// <summary>The bits of this pmap's entries.</summary>
    public ref readonly PteFormat Format => ref _format;

    /// <summary>The host-physical address of the top table, in bytes.</summary>
    public ulong RootHpa => (ulong)_rootPfn << Paging.PageShift;

    /// <summary>The register that points hardware at the tree: EPTP, nCR3 or CR3.</summary>
    public ulong RootRegister => _format.RootRegister(RootHpa);

    /// <summary>The first guest-physical address beyond what the tree can map.</summary>
    public ulong GpaLimit => _limit;

    /// <summary>
    /// Gives every table page back. No consumer is left, and the owner has removed the mappings whose modified bits
    /// matter to it: what is still mapped is dropped.
    /// </summary>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        FreeTables(_rootPfn, _format.Levels);
        ReleaseReserve(Shared.Load(&_counters->ReservePages), null);
        _countersRegion.Dispose();
    }

    private void FreeTables(uint pfn, int level)
    {
        ulong valid = _format.Valid;
        ulong* table = TableAt(pfn);
        for (int i = 0; level > 1 && i < Paging.EntriesPerTable; i++)
        {
            ulong entry = Shared.Load(table + i);
            if ((entry & valid) == 0 || _format.IsLeaf(entry, level)) continue;
            FreeTables(TablePfn(entry), level - 1);
        }
        _arena.Allocator.Give(pfn, 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong* TableAt(uint pfn) => (ulong*)(_base + ((ulong)pfn << Paging.PageShift));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private uint TablePfn(ulong entry) => (uint)((entry & _format.Frame) >> Paging.PageShift);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int IndexAt(ulong gpa, int level) =>
        (int)(gpa >> Paging.LevelShift(level)) & (Paging.EntriesPerTable - 1);

    /// <summary>4 KiB pages that a leaf of a level maps.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong PagesOf(int level) => 1UL << (Paging.IndexBits * (level - 1));

    /// <summary>The bytes from an address to the next boundary of an entry of a level.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong NextBoundary(ulong gpa, int level)
    {
        ulong bytes = 1UL << Paging.LevelShift(level);
        return (gpa & ~(bytes - 1)) + bytes;
    }
}
