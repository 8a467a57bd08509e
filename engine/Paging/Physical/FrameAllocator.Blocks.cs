using System.Numerics;
using System.Runtime.CompilerServices;
using Pagoda.Core;

namespace Pagoda.Physical;

/// <summary>Free blocks: link, unlink, split, merge. Everything here runs under the lock.</summary>
/// <remarks>A block's flags are <see cref="FrameRecord.KnownZero"/> and <see cref="FrameRecord.Fresh"/>.</remarks>
public sealed unsafe partial class FrameAllocator
{
    private const uint BlockFlags = FrameRecord.KnownZero | FrameRecord.Fresh;

    /// <summary>The word of a free block's first frame, without its flags.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint HeadWord(int order) => (uint)FrameState.Free | ((uint)order + 1) << FrameRecord.OrderShift;

    private void Link(uint pfn, int order, uint flags)
    {
        Invariant.Assert(pfn != 0);
        Invariant.Assert((pfn & ((1U << order) - 1)) == 0);
        bool fresh = (flags & FrameRecord.Fresh) != 0;
        uint* heads = fresh ? _state->Fresh : _state->Recycled;
        uint next = heads[order];
        _records[pfn].Owner = next;
        _records[pfn].Index = 0;
        if (next != 0) _records[next].Index = pfn;
        heads[order] = pfn;
        if (fresh) _state->FreshOrders |= 1U << order;
        else _state->RecycledOrders |= 1U << order;
        // A neighbour's owner may read this word at any moment, to merge: whole, or not at all.
        Shared.Store(&_records[pfn].Word, HeadWord(order) | flags);
    }

    /// <summary>Takes a known free block off its list; returns its flags.</summary>
    private uint Unlink(uint pfn, int order)
    {
        FrameRecord* record = &_records[pfn];
        uint word = Shared.Load(&record->Word);
        Invariant.Require((word & ~BlockFlags) == HeadWord(order));
        bool fresh = (word & FrameRecord.Fresh) != 0;
        uint* heads = fresh ? _state->Fresh : _state->Recycled;
        uint next = record->Owner;
        uint previous = record->Index;
        if (next != 0) _records[next].Index = previous;
        if (previous != 0)
        {
            _records[previous].Owner = next;
        }
        else
        {
            Invariant.Assert(heads[order] == pfn);
            heads[order] = next;
            if (next == 0 && fresh) _state->FreshOrders &= ~(1U << order);
            else if (next == 0) _state->RecycledOrders &= ~(1U << order);
        }
        Shared.Store(&record->Word, (uint)FrameState.Free);
        return word & BlockFlags;
    }

    /// <summary>Cuts an unlinked block down to an order and links what is cut off; returns what is kept.</summary>
    private uint Split(uint pfn, int order, int wanted, ref uint flags)
    {
        while (order > wanted)
        {
            order--;
            uint cut = pfn + (1U << order);
            uint keptFlags = HalfFlags(pfn, order, flags);
            uint cutFlags = HalfFlags(cut, order, flags);
            if ((keptFlags & ~cutFlags & FrameRecord.Fresh) != 0)
            {
                (pfn, cut) = (cut, pfn);
                (keptFlags, cutFlags) = (cutFlags, keptFlags);
            }
            Link(cut, order, cutFlags);
            flags = keptFlags;
        }
        return pfn;
    }

    /// <summary>Links a block, merged with its free buddies as far as that goes.</summary>
    private void MergeAndLink(uint pfn, int order, uint flags)
    {
        uint count = _frames.FrameCount;
        while (order < OrderMax)
        {
            uint buddy = pfn ^ (1U << order);
            if (buddy >= count) break;      // A free block that starts inside ends inside, too.
            if ((Shared.Load(&_records[buddy].Word) & ~BlockFlags) != HeadWord(order)) break;
            flags &= Unlink(buddy, order);
            pfn &= buddy;
            order++;
        }
        Link(pfn, order, flags);
    }

    private uint HalfFlags(uint pfn, int order, uint flags) =>
        (flags & FrameRecord.Fresh) != 0 ? flags : flags | FreshFlag(pfn, order);

    /// <summary>
    /// Fresh if no chunk of the run is committed. Runs below a chunk are only ever cut from committed ones.
    /// </summary>
    private uint FreshFlag(uint pfn, int order)
    {
        if (order < ChunkOrder) return 0;
        int chunks = 1 << (order - ChunkOrder);
        return _committed.Count((int)(pfn >> ChunkOrder), chunks) == 0 ? FrameRecord.Fresh : 0;
    }

    private bool IsCommitted(uint pfn, int order)
    {
        if (order < ChunkOrder) return true;
        int chunks = 1 << (order - ChunkOrder);
        return _committed.Count((int)(pfn >> ChunkOrder), chunks) == chunks;
    }

    /// <summary>
    /// The smallest order from <paramref name="order"/> on with a block in lists; OrderCount for none.
    /// </summary>
    private static int Smallest(uint orders, int order) =>
        int.Min(OrderCount, BitOperations.TrailingZeroCount(orders & (uint.MaxValue << order)));
}
