using System;
using System.Runtime.InteropServices;
using Pagoda.Core;

namespace Pagoda.Physical;

/// <summary>Frames zeroed ahead, and the way to more of them: the one source of zeroed frames.</summary>
/// <remarks>
/// The stock is a list through the records (Zeroed: Owner is the next). It is filled by <see cref="Fill"/>, which an
/// idle thread calls, and by caches that give zeroed frames back; past <see cref="StockMax"/> frames go on to the
/// allocator, which remembers that they are zero. A take that finds the stock empty zeroes a batch itself, by streaming
/// stores and with one store fence, without a lock.
/// </remarks>
[AllocationFree]
public sealed unsafe class ZeroedPool : IDisposable
{
    /// <summary>The most frames in stock: 16 MiB.</summary>
    public const int StockMax = 4096;

    private const int BatchMax = FrameAllocator.BatchMax;

    private readonly FrameTable _frames;
    private readonly FrameAllocator _allocator;
    private readonly Reservations _reservations;
    private readonly byte* _base;
    private readonly NativeRegion _region;
    private readonly State* _state;
    private readonly SpinCell _lock;

    [StructLayout(LayoutKind.Explicit)]
    private struct State
    {
        [FieldOffset(0)] public uint Lock;
        [FieldOffset(4)] public uint First;
        [FieldOffset(8)] public uint Count;     // Written under the lock, read by anyone.
    }

    internal ZeroedPool(FrameTable frames, FrameAllocator allocator, Reservations reservations, byte* directMap)
    {
        _frames = frames;
        _allocator = allocator;
        _reservations = reservations;
        _base = directMap;
        _region = NativeRegion.Map((nuint)sizeof(State));
        _state = (State*)_region.Base;
        _lock = new SpinCell(&_state->Lock);
    }

    /// <summary>Frames in stock at this moment.</summary>
    public int Stock => (int)Shared.Load(&_state->Count);

    /// <summary>Takes zeroed frames: from stock, then by zeroing.</summary>
    /// <param name="pfns">Receives them, in state Zeroed; their zeros are ordered before anything the caller
    /// stores.</param>
    /// <param name="count">How many.</param>
    /// <returns>How many were taken; fewer than asked when no frame is free.</returns>
    public int TryTake(uint* pfns, int count)
    {
        Invariant.Require(count >= 0);
        int taken = 0;
        if (Shared.Load(&_state->Count) != 0) taken = TakeStock(pfns, count);
        while (taken < count)
        {
            int batch = int.Min(BatchMax, count - taken);
            int zeroed = TakeAndZero(pfns + taken, batch);
            taken += zeroed;
            // What is only set aside is worth less than what somebody needs now.
            if (zeroed < batch && _reservations.BreakOldest() == 0) break;
        }
        return taken;
    }

    /// <summary>Takes zeroed frames back, unused: every byte of them is still 0.</summary>
    /// <param name="pfns">The frames, in state Zeroed.</param>
    /// <param name="count">How many.</param>
    public void Give(uint* pfns, int count)
    {
        int kept = 0;
        _lock.Acquire();
        uint stock = _state->Count;
        while (kept < count && stock < StockMax)
        {
            uint pfn = pfns[kept++];
            Invariant.Require(_frames.StateOf(pfn) == FrameState.Zeroed);
            Invariant.Assert(PageZeroing.IsZero(DirectMap(pfn)));
            Shared.Store(&_frames.Record(pfn)->Owner, _state->First);
            _state->First = pfn;
            stock++;
        }
        Shared.Store(&_state->Count, stock);
        _lock.Release();
        if (kept < count) _allocator.GiveBatch(pfns + kept, count - kept, knownZero: true);
    }

    /// <summary>Zeroes frames ahead, for a thread that has nothing better to do.</summary>
    /// <param name="stock">How many frames the stock should have, at most <see cref="StockMax"/>.</param>
    /// <returns>Frames added; the stock may stay below what was asked when no frame is free.</returns>
    public int Fill(int stock)
    {
        uint* pfns = stackalloc uint[BatchMax];
        int added = 0;
        while (true)
        {
            int missing = int.Min(int.Min(stock, StockMax) - Stock, BatchMax);
            if (missing <= 0) return added;
            int zeroed = TakeAndZero(pfns, missing);
            if (zeroed == 0) return added;
            Give(pfns, zeroed);
            added += zeroed;
        }
    }

    /// <summary>Gives the stock to the allocator, which remembers that the frames are zero.</summary>
    /// <returns>Frames given.</returns>
    public int Drain()
    {
        uint* pfns = stackalloc uint[BatchMax];
        int drained = 0;
        while (true)
        {
            int taken = TakeStock(pfns, BatchMax);
            if (taken == 0) return drained;
            _allocator.GiveBatch(pfns, taken, knownZero: true);
            drained += taken;
        }
    }

    /// <summary>Unmaps the pool's own memory.</summary>
    public void Dispose() => _region.Dispose();

    private int TakeStock(uint* pfns, int count)
    {
        int taken = 0;
        _lock.Acquire();
        uint first = _state->First;
        while (taken < count && first != 0)
        {
            pfns[taken++] = first;
            first = Shared.Load(&_frames.Record(first)->Owner);
        }
        _state->First = first;
        Shared.Store(&_state->Count, _state->Count - (uint)taken);
        _lock.Release();
        return taken;
    }

    private int TakeAndZero(uint* pfns, int count)
    {
        int taken = _allocator.TryTakeBatch(pfns, count, out ulong knownZero);
        for (int i = 0; i < taken; i++)
        {
            byte* page = DirectMap(pfns[i]);
            if ((knownZero >> i & 1) == 0) PageZeroing.ZeroStreaming(page);
            else Invariant.Assert(PageZeroing.IsZero(page));
            _frames.ToZeroed(pfns[i]);
        }
        // One fence a batch, here: without it the zeros could become visible after the entry that publishes the frame,
        // and after what its new owner stored.
        if (!Planted.Is(PlantedFault.NoStoreFence)) Shared.StoreFence();
        return taken;
    }

    private byte* DirectMap(uint pfn) => _base + ((ulong)pfn << Core.Paging.PageShift);
}
