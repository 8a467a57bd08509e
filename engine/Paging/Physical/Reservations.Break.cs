using System.Numerics;
using Pagoda.Core;

namespace Pagoda.Physical;

/// <summary>Ending runs before all their frames were taken.</summary>
public sealed unsafe partial class Reservations
{
    /// <summary>Gives the untaken frames of a cell's run to the allocator. One that is being made stays.</summary>
    /// <param name="cell">The owner's cell; 0 afterwards.</param>
    public void Release(uint* cell)
    {
        uint run = Shared.Load(cell);
        if (run > Making) End(run, cell);
    }

    /// <summary>
    /// Gives the untaken frames of the run that was used least recently to the allocator: for when memory is short.
    /// </summary>
    /// <returns>Frames given; 0 when nothing is reserved.</returns>
    public int BreakOldest()
    {
        while (true)
        {
            int oldest = FindOldest();
            if (oldest < 0) return 0;
            int given = End((uint)oldest << Core.Paging.WindowOrder, null);
            if (given == 0) continue;       // It ended by itself meanwhile.
            Shared.Increment(&_state->Broken);
            return given;
        }
    }

    private int FindOldest()
    {
        if (Shared.Load(&_state->Active) == 0) return -1;
        ulong best = ulong.MaxValue;
        int oldest = -1;
        for (int i = 0; i < _runs; i++)
        {
            ulong stamp = Shared.Load(_stamps + i);
            if (stamp == 0 || stamp >= best) continue;
            best = stamp;
            oldest = i;
        }
        return oldest;
    }

    /// <summary>Ends a run if it is reserved, through <paramref name="cell"/> if that is not null.</summary>
    private int End(uint run, uint* cell)
    {
        Record* record = RecordOf(run);
        ulong* taken = stackalloc ulong[MapWords];
        var guard = new SpinCell(&record->Lock);
        guard.Acquire();
        bool isReserved = record->Cell != null && (cell == null || record->Cell == cell);
        if (isReserved)
        {
            for (int i = 0; i < MapWords; i++) taken[i] = record->Map[i];
            Close(record, run);
        }
        guard.Release();
        return isReserved ? GiveRest(run, taken) : 0;
    }

    private int GiveRest(uint run, ulong* taken)
    {
        uint* free = stackalloc uint[FrameAllocator.BatchMax];
        int given = 0;
        for (int word = 0; word < MapWords; word++)
        {
            int count = 0;
            for (ulong rest = ~taken[word]; rest != 0; rest &= rest - 1)
            {
                free[count++] = run + (uint)(word * 64 + BitOperations.TrailingZeroCount(rest));
            }
            if (count != 0) _allocator.GiveBatch(free, count, knownZero: true);
            given += count;
        }
        return given;
    }
}
