using System;
using System.Runtime.CompilerServices;
using Pagoda.Core;

namespace Pagoda.Physical;

/// <summary>
/// A consumer's own stack of zeroed frames, refilled in batches: a take is a pop, and shares no cache line.
/// </summary>
/// <remarks>
/// One thread at a time uses it. When the arena runs dry, refills shrink with what is left, so that caches do not
/// starve one another with frames that they hoard.
/// </remarks>
[AllocationFree]
public sealed unsafe class FrameCache : IDisposable
{
    /// <summary>Frames of one refill.</summary>
    public const int RefillMax = FrameAllocator.BatchMax;

    /// <summary>
    /// The most frames in the cache: a batch of 64 faults in 64 windows needs 64 pages, three tables and an index page
    /// for each of them, and the next refill still has room.
    /// </summary>
    public const int Capacity = 6 * RefillMax;

    private const int HoardShift = 4;       // A refill takes at most a sixteenth of what is free.

    private readonly Arena _arena;
    private readonly NativeRegion _region;
    private readonly uint* _pfns;
    private int _count;

    /// <summary>An empty cache; nothing is taken yet.</summary>
    public FrameCache(Arena arena)
    {
        ArgumentNullException.ThrowIfNull(arena);
        _arena = arena;
        _region = NativeRegion.Map(Capacity * sizeof(uint));
        _pfns = (uint*)_region.Base;
    }

    /// <summary>Frames in the cache.</summary>
    public int Count => _count;

    /// <summary>Takes a zeroed frame, in state Zeroed.</summary>
    /// <returns>False when the arena has no free frame. Never waits for one.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryTake(out uint pfn)
    {
        if (_count == 0 && !Refill(1))
        {
            pfn = 0;
            return false;
        }
        pfn = _pfns[--_count];
        return true;
    }

    /// <summary>Fills the cache before a lock is taken, so that takes under it find what they need.</summary>
    /// <param name="count">Frames wanted, at most <see cref="Capacity"/>.</param>
    /// <returns>Frames in the cache: fewer than wanted only when the arena has no more.</returns>
    public int Reserve(int count)
    {
        Invariant.Require(count <= Capacity);
        if (_count < count) Refill(count);
        return _count;
    }

    /// <summary>
    /// Takes one frame back. Still zero (in state Zeroed) it stays here; in any other state, which nobody may be able
    /// to reach any more, it goes to the allocator.
    /// </summary>
    public void Give(uint pfn)
    {
        if (_arena.Frames.StateOf(pfn) != FrameState.Zeroed)
        {
            _arena.Allocator.Give(pfn, 0);
            return;
        }
        if (_count == Capacity) Spill(RefillMax);
        _pfns[_count++] = pfn;
    }

    /// <summary>
    /// Gives everything to the zeroed pool. An empty cache does not touch the arena, which may be gone.
    /// </summary>
    public void Drain()
    {
        if (_count != 0) Spill(_count);
    }

    /// <summary>Drains the cache and unmaps it. Unless it is empty the arena must still live.</summary>
    public void Dispose()
    {
        if (_region.IsClosed) return;
        Drain();
        _region.Dispose();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool Refill(int wanted)
    {
        int fair = (int)ulong.Min(_arena.Allocator.FreeFrames >> HoardShift, RefillMax);
        int target = int.Min(int.Max(wanted, _count + fair), Capacity);
        _count += _arena.Zeroed.TryTake(_pfns + _count, target - _count);
        return _count >= wanted;
    }

    /// <summary>Gives frames from the bottom: those on top were used last and are warm.</summary>
    private void Spill(int frames)
    {
        _arena.Zeroed.Give(_pfns, frames);
        _count -= frames;
        Buffer.MemoryCopy(_pfns + frames, _pfns, Capacity * sizeof(uint), (uint)_count * sizeof(uint));
    }
}
