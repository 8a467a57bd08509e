using System;
using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.Pagers;

/// <summary>
/// The pager of anonymous memory that may be swapped out: one an object, many to a <see cref="SwapSpace"/>.
/// </summary>
/// <remarks>
/// A column holds each page's slot, 0 for none: such a page is zero. A page that is read keeps its slot, so that
/// evicting it clean costs nothing; writing it takes fresh slots, neighbours for a batch, and frees the old ones after
/// the new ones hold. Pages that are all zero take no slot and no I/O. The column is reserved, not committed: 4 bytes a
/// page once its neighbourhood was swapped.
/// </remarks>
[AllocationFree]
public sealed unsafe partial class SwapPager : IPager, IDisposable
{
    /// <summary>The most pages that one transfer moves.</summary>
    public const int ClusterMax = 64;

    private const int NearlyFullShift = 3;

    private readonly SwapSpace _space;
    private readonly NativeRegion _region;
    private readonly uint* _slots;
    private readonly ulong _pages;

    /// <summary>The pager of an object.</summary>
    /// <param name="space">Where pages go.</param>
    /// <param name="pages">Length of the object in pages.</param>
    /// <exception cref="InsufficientMemoryException">The system refused the memory.</exception>
    public SwapPager(SwapSpace space, ulong pages)
    {
        ArgumentNullException.ThrowIfNull(space);
        ArgumentOutOfRangeException.ThrowIfZero(pages);
        _space = space;
        _pages = pages;
        _region = NativeRegion.Map((nuint)pages * sizeof(uint));
        _slots = (uint*)_region.Base;
    }

    /// <summary>So few slots are free that pages in memory should not have any.</summary>
    public bool IsNearlyFull => _space.Slots.Free < _space.Slots.Capacity >> NearlyFullShift;

    /// <summary>The slot that holds a page, or 0.</summary>
    public uint SlotOf(ulong page)
    {
        Invariant.Assert(page < _pages);
        return Shared.Load(_slots + page);
    }

    /// <inheritdoc/>
    public void Discard(ReadOnlySpan<ulong> pages)
    {
        foreach (ulong page in pages) FreeSlot(page);
    }

    /// <summary>Frees every slot and the column. The object is gone.</summary>
    public void Dispose()
    {
        if (_region.IsClosed) return;
        // A page of the column that was never touched reads as zero without being committed.
        for (ulong page = 0; page < _pages; page++) FreeSlot(page);
        _region.Dispose();
    }

    private void FreeSlot(ulong page)
    {
        uint slot = SlotOf(page);
        if (slot == 0) return;
        Shared.Store(_slots + page, 0);
        _space.Slots.Give(slot, 1);
    }
}
