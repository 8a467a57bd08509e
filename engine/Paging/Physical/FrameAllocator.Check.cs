using Pagoda.Core;

namespace Pagoda.Physical;

/// <summary>States what must hold of the free lists.</summary>
public sealed unsafe partial class FrameAllocator
{
    /// <summary>
    /// Checks every free block: alignment, bounds, links, flags against the committed chunks, merged as far as
    /// possible, and their sum against <see cref="FreeFrames"/>. For tests and after a suspicion; nobody may use the
    /// allocator.
    /// </summary>
    /// <exception cref="InvariantException">Something does not hold.</exception>
    public void CheckConsistency()
    {
        ulong sum = 0;
        _lock.Acquire();
        for (int order = 0; order <= OrderMax; order++)
        {
            sum += CheckList(_state->Recycled[order], order, 0);
            sum += CheckList(_state->Fresh[order], order, FrameRecord.Fresh);
            Invariant.Require((_state->Recycled[order] != 0) == ((_state->RecycledOrders >> order & 1) != 0));
            Invariant.Require((_state->Fresh[order] != 0) == ((_state->FreshOrders >> order & 1) != 0));
        }
        Invariant.Require(sum == _state->FreeFrames);
        Invariant.Require(_state->InFlight == 0);
        _lock.Release();
    }

    private ulong CheckList(uint head, int order, uint fresh)
    {
        ulong frames = 0;
        uint previous = 0;
        for (uint pfn = head; pfn != 0; pfn = _records[pfn].Owner)
        {
            uint word = Shared.Load(&_records[pfn].Word);
            Invariant.Require((word & ~BlockFlags) == HeadWord(order));
            Invariant.Require((word & FrameRecord.Fresh) == fresh);
            Invariant.Require((pfn & ((1U << order) - 1)) == 0);
            Invariant.Require(pfn + (1UL << order) <= _frames.FrameCount);
            Invariant.Require(_records[pfn].Index == previous);
            Invariant.Require(FreshFlag(pfn, order) == fresh);
            uint buddy = pfn ^ (1U << order);
            bool mergeable = order < OrderMax && buddy < _frames.FrameCount
                && (Shared.Load(&_records[buddy].Word) & ~BlockFlags) == HeadWord(order);
            Invariant.Require(!mergeable);
            frames += 1UL << order;
            previous = pfn;
        }
        return frames;
    }
}
