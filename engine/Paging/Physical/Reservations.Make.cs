using Pagoda.Core;

namespace Pagoda.Physical;

/// <summary>Making runs, and taking frames out of them.</summary>
public sealed unsafe partial class Reservations
{
    /// <summary>Announces that a run will be made for a cell. Waits for nothing.</summary>
    /// <param name="cell">The owner's cell.</param>
    /// <returns>False when there is a run, somebody makes one, or too few frames are free for one.</returns>
    public bool TryBegin(uint* cell) =>
        _allocator.FreeFrames >= Core.Paging.WindowPages && Shared.CompareExchange(cell, Making, 0) == 0;

    /// <summary>
    /// Makes the run of a cell that <see cref="TryBegin"/> announced. May wait for the system's memory, and zeroes
    /// 2 MiB: not under a lock, nor in a consumer slot.
    /// </summary>
    /// <param name="cell">The owner's cell; it holds the run afterwards, or 0.</param>
    /// <param name="firstPage">The object's page that the first frame is for.</param>
    /// <returns>False when no aligned run is free.</returns>
    public bool Make(uint* cell, ulong firstPage)
    {
        Invariant.Assert(Shared.Load(cell) == Making);
        uint run = TakeZeroedRun(Core.Paging.WindowOrder);
        if (run == 0)
        {
            Shared.Store(cell, 0);
            return false;
        }
        for (uint i = 0; i < Core.Paging.WindowPages; i++) _frames.ToZeroed(run + i);
        Record* record = RecordOf(run);
        var guard = new SpinCell(&record->Lock);
        guard.Acquire();
        Invariant.Require(record->Cell == null);
        record->Cell = cell;
        record->FirstPage = firstPage;
        Shared.Store(&record->Taken, 0U);
        for (int i = 0; i < MapWords; i++) record->Map[i] = 0;
        Shared.Store(StampOf(run), Shared.Increment(&_state->Tick));
        Shared.Increment(&_state->Active);
        Shared.Increment(&_state->Made);
        Shared.Store(cell, run);
        guard.Release();
        return true;
    }

    /// <summary>Takes the frame in the place of a page.</summary>
    /// <param name="cell">The owner's cell.</param>
    /// <param name="firstPage">The page that the first frame of the run must be for.</param>
    /// <param name="index">The page's place behind it.</param>
    /// <returns>The frame, in state Zeroed; 0 when there is no such run, or the page took its frame before.</returns>
    public uint TryTake(uint* cell, ulong firstPage, int index)
    {
        Invariant.Assert((uint)index < Core.Paging.WindowPages);
        uint run = Shared.Load(cell);
        if (run <= Making) return 0;
        Record* record = RecordOf(run);
        var guard = new SpinCell(&record->Lock);
        guard.Acquire();
        ulong* map = record->Map + (index >> 6);
        ulong bit = 1UL << (index & 63);
        // The run may have ended, and begun again for somebody else, between our look at the cell and the lock.
        bool isFree = record->Cell == cell && record->FirstPage == firstPage && (*map & bit) == 0;
        if (isFree)
        {
            *map |= bit;
            uint taken = Shared.Load(&record->Taken) + 1;
            Shared.Store(&record->Taken, taken);
            if (taken == Core.Paging.WindowPages) Close(record, run);
            else Stamp(run);
        }
        guard.Release();
        return isFree ? run + (uint)index : 0;
    }

    /// <summary>
    /// 2^order zeroed frames in a row, in state Free; 0 when no aligned run is free. Their zeros are ordered before
    /// anything that the caller stores.
    /// </summary>
    /// <param name="order">9 for 2 MiB, 18 for 1 GiB.</param>
    public uint TakeZeroedRun(int order)
    {
        uint run = _allocator.TryTake(order, out bool knownZero);
        if (run == 0 || knownZero) return run;
        PageZeroing.ZeroStreaming(_base + ((ulong)run << Core.Paging.PageShift), 1 << order);
        Shared.StoreFence();
        return run;
    }

    /// <summary>The run was used now. Other runs have stamps in that line, so it is written only for news.</summary>
    private void Stamp(uint run)
    {
        ulong now = Shared.Load(&_state->Tick);
        if (Shared.Load(StampOf(run)) != now) Shared.Store(StampOf(run), now);
    }

    /// <summary>Ends a reservation, under its record's lock.</summary>
    private void Close(Record* record, uint run)
    {
        Shared.Store(record->Cell, 0);
        record->Cell = null;
        Shared.Store(StampOf(run), 0);
        Shared.Add(&_state->Active, ulong.MaxValue);
    }
}
