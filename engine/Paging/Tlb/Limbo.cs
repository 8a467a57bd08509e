using System;
using System.Runtime.InteropServices;
using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.Tlb;

/// <summary>Frames and table pages that are unlinked but that a consumer may still be in.</summary>
/// <remarks>
/// A queue through the frame records (state Limbo: Owner is the next, Index the low half of the tag), so it has no
/// capacity and needs no memory. Tags grow towards the end; two gathers that finish at once may be queued the wrong way
/// round, which only delays the first. A frame that is held when its turn comes is left to its last release.
/// Any thread may add and recycle.
/// </remarks>
[AllocationFree]
public sealed unsafe class Limbo : IDisposable
{
    /// <summary>Frames that may wait for a generation that nobody needs: 256 KiB of tables.</summary>
    public const int RetiredMax = 64;

    private const int BatchMax = 64;

    private readonly Arena _arena;
    private readonly FrameTable _frames;
    private readonly ConsumerTable _consumers;
    private readonly NativeRegion _region;
    private readonly State* _state;
    private readonly SpinCell _lock;

    /// <summary>The limbo of one pmap.</summary>
    /// <exception cref="InsufficientMemoryException">The system refused the memory.</exception>
    public Limbo(Arena arena, ConsumerTable consumers)
    {
        ArgumentNullException.ThrowIfNull(arena);
        ArgumentNullException.ThrowIfNull(consumers);
        _arena = arena;
        _frames = arena.Frames;
        _consumers = consumers;
        _region = NativeRegion.Map((nuint)sizeof(State));
        _state = (State*)_region.Base;
        _lock = new SpinCell(&_state->Lock);
    }

    /// <summary>Frames waiting at this moment.</summary>
    public int Count => (int)Shared.Load(&_state->Count);

    internal FrameTable Frames => _frames;

    /// <summary>Recycles what can be reached by nobody any more.</summary>
    /// <returns>Frames that left limbo; those that are held are free after their last release.</returns>
    public int Recycle()
    {
        if (Count == 0) return 0;
        uint* free = stackalloc uint[BatchMax];
        ulong oldest = _consumers.Oldest();
        int recycled = 0;
        while (true)
        {
            int taken = TakeUpTo(oldest, free, BatchMax);
            recycled += taken;
            int unheld = 0;
            for (int i = 0; i < taken; i++)
            {
                // The hold test comes behind the grace period: a hold that found the frame before is counted now.
                if (_frames.Orphan(free[i])) free[unheld++] = free[i];
            }
            if (unheld != 0) _arena.Allocator.GiveBatch(free, unheld);
            if (taken < BatchMax) return recycled;
        }
    }

    /// <summary>
    /// Makes the generation that retired frames wait for, if there are such: for when memory is short. A recycling
    /// behind it, when every consumer has let go, finds nothing left.
    /// </summary>
    public void Hasten()
    {
        if (Shared.Load(&_state->Newest) > _consumers.Generation) _consumers.Advance();
    }

    /// <summary>Unmaps the queue's own memory. Nothing waits in it any more.</summary>
    public void Dispose()
    {
        if (_region.IsClosed) return;
        Invariant.Require(Count == 0);
        _region.Dispose();
    }

    /// <summary>Queues a chain that a gather made through the records' owners.</summary>
    /// <param name="first">The first frame of the chain.</param>
    /// <param name="last">The last one, whose next is 0.</param>
    /// <param name="count">Frames of the chain.</param>
    /// <param name="tag">What <see cref="ConsumerTable.Advance"/> returned behind the unlinking.</param>
    internal void Add(uint first, uint last, int count, ulong tag)
    {
        for (uint pfn = first; pfn != 0; pfn = Shared.Load(&_frames.Record(pfn)->Owner))
        {
            Shared.Store(&_frames.Record(pfn)->Index, (uint)tag);
        }
        _lock.Acquire();
        if (_state->First == 0) _state->First = first;
        else Shared.Store(&_frames.Record(_state->Last)->Owner, first);
        _state->Last = last;
        if (tag > _state->Newest) Shared.Store(&_state->Newest, tag);
        Shared.Store(&_state->Count, _state->Count + (uint)count);
        _lock.Release();
    }

    /// <summary>
    /// Queues a chain that was unlinked although nothing became wrong, so that no translation has to be taken back: it
    /// is free when every consumer has acknowledged the generation after this one, whoever makes that.
    /// </summary>
    /// <remarks>
    /// Sound for the same reason as a generation of its own: who acknowledges that one has read it behind its
    /// increment, which came behind our load, which comes behind the unlinking, a locked operation. So such a consumer
    /// walks tables in which nothing of the chain is linked. Every so many frames a generation is made for them, so
    /// that a guest without any other shootdown does not keep them for ever.
    /// </remarks>
    internal void Retire(uint first, uint last, int count)
    {
        Add(first, last, count, _consumers.Generation + 1);
        if (Shared.Add(&_state->Retired, (uint)count) < RetiredMax) return;
        Shared.Store(&_state->Retired, 0);
        Hasten();
    }

    private int TakeUpTo(ulong oldest, uint* pfns, int max)
    {
        int taken = 0;
        _lock.Acquire();
        // Under the lock, so that no tag in the queue is newer than this: retired frames wait for the next generation.
        ulong newest = _consumers.Generation + 1;
        uint first = _state->First;
        while (first != 0 && taken < max)
        {
            FrameRecord* record = _frames.Record(first);
            // The high half comes from the newest generation: the whole tag, or one too new, which only waits longer.
            // Low halves compared by their difference would recycle under a consumer that fell 2^31 generations behind.
            ulong tag = newest - unchecked((uint)newest - Shared.Load(&record->Index));
            if (Planted.Is(PlantedFault.TagOffByOne) ? tag > oldest + 1 : tag > oldest) break;
            pfns[taken++] = first;
            first = Shared.Load(&record->Owner);
        }
        _state->First = first;
        if (first == 0) _state->Last = 0;
        Shared.Store(&_state->Count, _state->Count - (uint)taken);
        _lock.Release();
        return taken;
    }

    [StructLayout(LayoutKind.Explicit)]
    private struct State
    {
        [FieldOffset(0)] public uint Lock;
        [FieldOffset(4)] public uint First;
        [FieldOffset(8)] public uint Last;
        [FieldOffset(12)] public uint Count;    // Written under the lock, read by anyone, as is Newest.
        [FieldOffset(16)] public ulong Newest;  // The newest tag that ever was in the queue.
        [FieldOffset(24)] public uint Retired;  // Frames retired since a generation was made for some.
    }
}
