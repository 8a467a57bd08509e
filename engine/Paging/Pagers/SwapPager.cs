using System;
using System.Numerics;
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

    /// <summary>Pages of an object at most.</summary>
    private const ulong PagesMax = 1UL << 32;

    private const int NearlyFullShift = 3;
    private const int GroupShift = 10;      // A group is one page of the column.
    private const int GroupsPerWord = 64;

    private readonly SwapSpace _space;
    private readonly NativeRegion _region;
    private readonly uint* _slots;
    private readonly ulong* _used;          // a bit for each group in which there ever was a slot
    private readonly ulong _usedWords;
    private readonly ulong _pages;
    private uint _attached;

    /// <summary>The pager of an object.</summary>
    /// <param name="space">Where pages go.</param>
    /// <param name="pages">Length of the object in pages.</param>
    /// <exception cref="InsufficientMemoryException">The system refused the memory.</exception>
    public SwapPager(SwapSpace space, ulong pages)
    {
        ArgumentNullException.ThrowIfNull(space);
        ArgumentOutOfRangeException.ThrowIfZero(pages);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(pages, PagesMax);
        _space = space;
        _pages = pages;
        ulong groups = (pages - 1 >> GroupShift) + 1;
        _usedWords = (groups - 1) / GroupsPerWord + 1;
        ulong column = groups << GroupShift;
        _region = NativeRegion.Map((nuint)(column * sizeof(uint) + _usedWords * sizeof(ulong)));
        _slots = (uint*)_region.Base;
        _used = (ulong*)(_slots + column);
    }

    /// <summary>Pages that it has slots for.</summary>
    internal ulong Pages => _pages;

    /// <summary>So few slots are free that pages in memory should not have any.</summary>
    public bool IsNearlyFull => _space.Slots.Free < _space.Slots.Capacity >> NearlyFullShift;

    /// <summary>The slot that holds a page, or 0.</summary>
    public uint SlotOf(ulong page)
    {
        Invariant.Require(page < _pages);
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
        // What was swapped costs, not how long the object is.
        for (ulong word = 0; word < _usedWords; word++)
        {
            for (ulong bits = Shared.Load(_used + word); bits != 0; bits &= bits - 1)
            {
                FreeGroup(word * GroupsPerWord + (uint)BitOperations.TrailingZeroCount(bits));
            }
        }
        _region.Dispose();
    }

    /// <summary>Makes it the pager of an object; false when it is one's already.</summary>
    internal bool TryAttach() => Shared.CompareExchange(ref _attached, 1, 0) == 0;

    private void FreeGroup(ulong group)
    {
        ulong end = ulong.Min(_pages, (group + 1) << GroupShift);
        for (ulong page = group << GroupShift; page < end; page++) FreeSlot(page);
    }

    /// <summary>Gives a page a slot.</summary>
    private void SetSlot(ulong page, uint slot)
    {
        ulong group = page >> GroupShift;
        ulong* word = _used + group / GroupsPerWord;
        ulong bit = 1UL << (int)(group % GroupsPerWord);
        if ((Shared.Load(word) & bit) == 0) Shared.Or(word, bit);
        Shared.Store(_slots + page, slot);
    }

    private void FreeSlot(ulong page)
    {
        uint slot = SlotOf(page);
        if (slot == 0) return;
        Shared.Store(_slots + page, 0);
        _space.Slots.Give(slot, 1);
    }
}
