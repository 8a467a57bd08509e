using System.Diagnostics;
using Pagoda.Core;

namespace Pagoda.Physical;

/// <summary>Takes frames back: from their owner, and from the system's point of view.</summary>
public sealed unsafe partial class FrameAllocator
{
    /// <summary>Gives frames back, each in whatever state it is: nobody can reach, hold or wire any of them.</summary>
    /// <param name="pfn">The first frame.</param>
    /// <param name="order">
    /// 2^order frames, aligned to that length. They need not have been taken together.
    /// </param>
    public void Give(uint pfn, int order)
    {
        Invariant.Require((uint)order <= OrderMax);
        Invariant.Require(pfn != 0);
        Invariant.Require((pfn & ((1U << order) - 1)) == 0);
        Invariant.Require(pfn + (1UL << order) <= _frames.FrameCount);
        for (uint i = 0; i < 1U << order; i++) _frames.ToFree(pfn + i);
        _lock.Acquire();
        GiveUnderLock(pfn, order, 0);
        _lock.Release();
    }

    /// <summary>Gives single frames back under one lock.</summary>
    /// <param name="pfns">The frames, as for <see cref="Give"/>.</param>
    /// <param name="count">How many.</param>
    /// <param name="knownZero">Every byte of every one of them is 0.</param>
    public void GiveBatch(uint* pfns, int count, bool knownZero = false)
    {
        for (int i = 0; i < count; i++) _frames.ToFree(pfns[i]);
        uint flags = knownZero ? FrameRecord.KnownZero : 0;
        _lock.Acquire();
        for (int i = 0; i < count; i++) GiveUnderLock(pfns[i], 0, flags);
        _lock.Release();
    }

    /// <summary>Gives the committed chunks of free blocks back to the system.</summary>
    /// <returns>Bytes given back.</returns>
    internal ulong Trim()
    {
        ulong bytes = 0;
        while (_mapping.CommitsLate)
        {
            _lock.Acquire();
            int order = Smallest(_state->RecycledOrders, ChunkOrder);
            if (order == OrderCount)
            {
                _lock.Release();
                break;
            }
            uint pfn = _state->Recycled[order];
            uint flags = Unlink(pfn, order);
            _state->InFlight++;
            _lock.Release();

            bool done = TryDecommitChunks((int)(pfn >> ChunkOrder), 1 << (order - ChunkOrder), ref bytes);

            _lock.Acquire();
            _state->InFlight--;
            uint zero = done && _mapping.CommitsZeros ? FrameRecord.KnownZero : flags & FrameRecord.KnownZero;
            MergeAndLink(pfn, order, zero | FreshFlag(pfn, order));
            _lock.Release();
            // Refused: the same block would come first again.
            if (!done) break;
        }
        return bytes;
    }

    private bool TryDecommitChunks(int first, int count, ref ulong bytes)
    {
        for (int chunk = first; chunk < first + count; chunk++)
        {
            if (!_committed.IsSet(chunk)) continue;
            ulong length = OffsetOf(chunk + 1) - OffsetOf(chunk);
            if (!_mapping.TryDecommit(OffsetOf(chunk), length)) return false;
            _committed.Clear(chunk);
            bytes += length;
        }
        return true;
    }

    private void GiveUnderLock(uint pfn, int order, uint flags)
    {
        AssertNotInsideFreeBlock(pfn, order);
        MergeAndLink(pfn, order, flags);
        Shared.Store(&_state->FreeFrames, FreeFrames + (1UL << order));
    }

    /// <summary>
    /// A frame given twice may lie in the middle of a free block by now, where its own word shows nothing.
    /// </summary>
    [Conditional("DEBUG")]
    private void AssertNotInsideFreeBlock(uint pfn, int order)
    {
        for (int larger = order + 1; larger <= OrderMax; larger++)
        {
            uint first = pfn & ~((1U << larger) - 1);
            uint word = Shared.Load(&_records[first].Word) & ~BlockFlags;
            bool free = (word & FrameRecord.StateMask) == (uint)FrameState.Free;
            Invariant.Assert(!free || word >> FrameRecord.OrderShift <= (uint)larger);
        }
    }
}
