using System.Numerics;
using Pagoda.Core;

namespace Pagoda.Physical;

/// <summary>Takes runs and batches of frames.</summary>
public sealed unsafe partial class FrameAllocator
{
    /// <summary>
    /// Takes 2^order frames that follow one another, aligned to that length, committed, of any content.
    /// </summary>
    /// <param name="order">0 to <see cref="OrderMax"/>; 9 is 2 MiB.</param>
    /// <returns>
    /// The first frame, in state Free; 0 when no such run is free or the system has no memory for it.
    /// </returns>
    /// <remarks>
    /// Up to order 9 committed memory is recycled while there is some. A first touch of a chunk waits for the kernel
    /// (about 100 µs): whoever must not wait takes from a <see cref="FrameCache"/> that it filled before.
    /// </remarks>
    public uint TryTake(int order) => TryTake(order, out _);

    /// <summary>As <see cref="TryTake(int)"/>; also says whether the run is known to be zero.</summary>
    public uint TryTake(int order, out bool knownZero)
    {
        Invariant.Require((uint)order <= OrderMax);
        var wait = default(Wait);
        while (true)
        {
            uint flags = 0;
            int found = order;
            _lock.Acquire();
            uint pfn = 1U << order > _state->TestLimit ? 0 : UnlinkSmallest(order, out found, out flags);
            if (pfn != 0) Charge(1U << order);
            bool committed = pfn == 0 || IsCommitted(pfn, found);
            // What another thread commits or trims at this moment is free, only not in the lists.
            bool retry = pfn == 0 && _state->InFlight != 0;
            if (!committed) _state->InFlight++;
            _lock.Release();

            if (!committed) return Commit(pfn, found, order, flags, out knownZero);
            if (!retry)
            {
                knownZero = (flags & FrameRecord.KnownZero) != 0;
                return pfn;
            }
            wait.Step();
        }
    }

    /// <summary>
    /// Takes single frames, committed, of any content; recycled ones first, and small fragments first.
    /// </summary>
    /// <param name="pfns">Receives them, in state Free.</param>
    /// <param name="count">How many, at most <see cref="BatchMax"/>.</param>
    /// <param name="knownZero">Bit i: frame i is known to be zero.</param>
    /// <returns>How many were taken; fewer than asked when nothing is left.</returns>
    public int TryTakeBatch(uint* pfns, int count, out ulong knownZero)
    {
        Invariant.Require((uint)count <= BatchMax);
        knownZero = 0;
        int taken = 0;
        while (true)
        {
            _lock.Acquire();
            taken = TakeRecycled(pfns, taken, count, ref knownZero);
            _lock.Release();
            if (taken == count) return taken;
            // Nothing recycled is left. One frame the slow way commits a chunk, and the rest of it is here next time.
            uint pfn = TryTake(0, out bool zero);
            if (pfn == 0) return taken;
            if (zero) knownZero |= 1UL << taken;
            pfns[taken++] = pfn;
        }
    }

    /// <summary>
    /// Unlinks a block for a take: of the wanted order, or, when it has to be committed, of at least a whole chunk.
    /// </summary>
    private uint UnlinkSmallest(int order, out int found, out uint flags)
    {
        int recycled = Smallest(_state->RecycledOrders, order);
        int fresh = Smallest(_state->FreshOrders, order);
        // Up to a chunk, committed memory goes first whatever the size of its block; above, the smallest block does.
        bool useFresh = order <= ChunkOrder ? recycled == OrderCount : fresh < recycled;
        int source = useFresh ? fresh : recycled;
        found = useFresh ? int.Max(order, ChunkOrder) : order;
        flags = 0;
        if (source == OrderCount) return 0;
        uint pfn = useFresh ? _state->Fresh[source] : _state->Recycled[source];
        flags = Unlink(pfn, source);
        return Split(pfn, source, found, ref flags);
    }

    private int TakeRecycled(uint* pfns, int taken, int count, ref ulong knownZero)
    {
        if (_state->TestLimit != NoLimit) count = int.Min(count, taken + (int)uint.Min(_state->TestLimit, BatchMax));
        int before = taken;
        while (taken < count && _state->RecycledOrders != 0)
        {
            int source = BitOperations.TrailingZeroCount(_state->RecycledOrders);
            int order = int.Min(source, BitOperations.Log2((uint)(count - taken)));
            uint pfn = _state->Recycled[source];
            uint flags = Unlink(pfn, source);
            pfn = Split(pfn, source, order, ref flags);
            bool zero = (flags & FrameRecord.KnownZero) != 0;
            for (uint i = 0; i < 1U << order; i++)
            {
                if (zero) knownZero |= 1UL << taken;
                pfns[taken++] = pfn + i;
            }
        }
        if (taken != before) Charge((uint)(taken - before));
        return taken;
    }

    /// <summary>Counts frames as taken. Under the lock.</summary>
    private void Charge(uint frames)
    {
        Shared.Store(&_state->FreeFrames, FreeFrames - frames);
        if (_state->TestLimit != NoLimit) _state->TestLimit -= frames;
    }

    /// <summary>Commits an unlinked block without the lock, then cuts it down to what was asked for.</summary>
    private uint Commit(uint pfn, int found, int order, uint flags, out bool knownZero)
    {
        bool done = TryCommitChunks((int)(pfn >> ChunkOrder), 1 << (found - ChunkOrder));
        _lock.Acquire();
        _state->InFlight--;
        if (done)
        {
            flags &= ~FrameRecord.Fresh;
            pfn = Split(pfn, found, order, ref flags);
        }
        else
        {
            // The flags still hold: a fresh block is committed by one call, and a mixed one was not fresh before.
            MergeAndLink(pfn, found, flags);
            Shared.Store(&_state->FreeFrames, FreeFrames + (1UL << order));
            pfn = 0;
        }
        _lock.Release();
        knownZero = done && (flags & FrameRecord.KnownZero) != 0;
        return pfn;
    }

    /// <summary>Commits the chunks of a run that are not yet, in runs of their own.</summary>
    private bool TryCommitChunks(int first, int count)
    {
        int end = first + count;
        int chunk = first;
        while (chunk < end)
        {
            int start = chunk;
            while (chunk < end && !_committed.IsSet(chunk)) chunk++;
            if (chunk == start)
            {
                chunk++;
                continue;
            }
            if (!_mapping.TryCommit(OffsetOf(start), OffsetOf(chunk) - OffsetOf(start))) return false;
            for (int i = start; i < chunk; i++) _committed.Set(i);
        }
        return true;
    }

    private ulong OffsetOf(int chunk) => ulong.Min((ulong)chunk << Core.Paging.WindowShift, _mapping.Bytes);
}
