using System.Numerics;
using Pagoda.Core;

namespace Pagoda.Reclaim;

/// <summary>
/// What the threads do: one chooses pages when faults ring, some write. A batch that must be written goes from the one
/// to the others, and no lock goes along.
/// </summary>
public sealed unsafe partial class PageDaemon
{
    /// <summary>How long a thread sleeps that nobody wakes.</summary>
    private const uint SleepNanoseconds = 100_000_000;

    /// <summary>Sleeps in a row without pressure, behind which free memory goes back to the system.</summary>
    private const int IdleSleepsBeforeTrim = 20;

    private Doorbell DaemonBell => new(&_state->DaemonBell);

    private Doorbell WriterBell => new(&_state->WriterBell);

    /// <summary>Pages that writers have.</summary>
    private ulong HandedOver => Shared.Load(&_state->HandedOver);

    /// <summary>Tells the thread that chooses to end.</summary>
    internal void EndChoosing()
    {
        Shared.Store(&_state->Ending, 1);
        DaemonBell.Ring();
    }

    /// <summary>Tells the writers to end when nothing is left to write.</summary>
    internal void EndWriting()
    {
        Shared.Store(&_state->Ending, 2);
        WriterBell.Ring();
    }

    /// <summary>Gives a batch, whose consumers have let go, to the writers.</summary>
    private void HandOver(int number)
    {
        Shared.Add(&_state->HandedOver, (ulong)BatchAt(number)->Count);
        Shared.Or(&_state->QueuedBatches, 1UL << number);
        WriterBell.Ring();
    }

    /// <summary>The work of the thread that chooses.</summary>
    internal void Choose()
    {
        int idle = 0;
        while (Shared.Load(&_state->Ending) == 0)
        {
            ulong seen = DaemonBell.Look();
            ulong used = UsedFrames - ulong.Min(HandedOver, UsedFrames);
            if (used + _low > _budget)
            {
                idle = 0;
                ReclaimResult result = Run((int)ulong.Min(used + _high - _budget, int.MaxValue), handsOver: true);
                uint trouble = Shared.Exchange(&_state->WriterTrouble, 0);
                if (trouble != 0) result = new ReclaimResult(0, (ReclaimEnd)trouble);
                Tell(result);
                if (result.End == ReclaimEnd.Enough)
                {
                    Launder(EvictionLanes.Max);
                    continue;
                }
                // Faults need not ring for what cannot be had.
                if (result.Freed == 0) Shared.Store(&_state->Futile, FutilePause);
            }
            else if (++idle == IdleSleepsBeforeTrim)
            {
                _arena.Trim();
            }
            DaemonBell.Sleep(seen, SleepNanoseconds);
        }
    }

    /// <summary>The work of a writer.</summary>
    internal void Write()
    {
        while (true)
        {
            ulong seen = WriterBell.Look();
            bool ends = Shared.Load(&_state->Ending) == 2;
            if (TryTakeQueued(out int number))
            {
                uint count = (uint)BatchAt(number)->Count;
                StoreAndFinish(number, out ReclaimEnd trouble);
                if (trouble != ReclaimEnd.Enough) Shared.Store(&_state->WriterTrouble, (uint)trouble);
                Shared.Add(&_state->HandedOver, 0UL - count);
                continue;
            }
            if (ends) return;
            WriterBell.Sleep(seen, SleepNanoseconds);
        }
    }

    private bool TryTakeQueued(out int number)
    {
        while (true)
        {
            ulong queued = Shared.Load(&_state->QueuedBatches);
            number = BitOperations.TrailingZeroCount(queued);
            if (queued == 0) return false;
            if (Shared.CompareExchange(&_state->QueuedBatches, queued & (queued - 1), queued) == queued) return true;
        }
    }
}
