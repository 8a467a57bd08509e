using Pagoda.AddressSpace;
using Pagoda.Core;

namespace Pagoda.Reclaim;

/// <summary>
/// One call of reclaim, by whichever thread: chooses pages under the daemon's lock, and does everything that takes time
/// without it. While the consumers let one batch go, the next is chosen.
/// </summary>
public sealed unsafe partial class PageDaemon
{
    /// <summary>
    /// Batches of one call that may fail whole because nothing can be stored, before no more is given to the pagers.
    /// </summary>
    private const int FailuresMax = 8;

    /// <summary>What a call of reclaim is after, and how far it came.</summary>
    private ref struct ReclaimRun(int wanted, Vmspace? only)
    {
        /// <summary>The guest whose pages are to go; null for any.</summary>
        public readonly Vmspace? Only = only;

        /// <summary>Frames to free.</summary>
        public readonly int Wanted = wanted;

        /// <summary>Frames freed.</summary>
        public int Freed;

        /// <summary>Pages on their way out, by this call or by writers that it gave them to.</summary>
        public int Pending;

        /// <summary>Whole cycles begun.</summary>
        public int Cycles;

        /// <summary>Batches that freed nothing because of <see cref="Trouble"/>.</summary>
        public int Failures;

        /// <summary>What kept pages from being stored; Exhausted for nothing.</summary>
        public ReclaimEnd Trouble = ReclaimEnd.Exhausted;

        /// <summary>Pages were passed over because a map was being changed.</summary>
        public bool MetChange;

        /// <summary>There is nothing more to choose.</summary>
        public bool IsOver;

        /// <summary>Frames that are still to be found.</summary>
        public readonly int Missing => Wanted - Freed - Pending;
    }

    /// <summary>Frees frames until enough are, or nothing more can be. The caller is in no slot.</summary>
    /// <param name="wanted">Frames.</param>
    /// <param name="handsOver">Batches that must be written go to the writers; they count as if they were free.</param>
    /// <param name="only">The guest whose pages are to go; null for any.</param>
    private ReclaimResult Run(int wanted, bool handsOver = false, Vmspace? only = null) =>
        Run(wanted, handsOver, only, out _);

    // As above; also tells whether pages were passed over because a map was being changed.
    private ReclaimResult Run(int wanted, bool handsOver, Vmspace? only, out bool metChange)
    {
        var run = new ReclaimRun(wanted, only);
        if (only is null) run.Freed = BreakRuns(wanted);
        int older = NoBatch;
        bool finished = false;
        try
        {
            while (true)
            {
                int next = run.Missing > 0 && !run.IsOver ? Choose(ref run, mayWait: older == NoBatch) : NoBatch;
                if (older == NoBatch)
                {
                    if (next == NoBatch) break;
                    older = next;
                    // Nobody has to be waited for, as it is when no consumer runs: one batch after the other.
                    if (!HasSettled(older)) continue;
                    next = NoBatch;
                }
                int batch = older;
                older = next;
                Conclude(batch, ref run, handsOver);
            }
            finished = true;
        }
        finally
        {
            // A pager threw: what was chosen beside it must not stay in flight.
            if (!finished && older != NoBatch) Abandon(older);
        }
        metChange = run.MetChange;
        int freed = run.Freed + (handsOver ? run.Pending : 0);
        return new ReclaimResult(freed, freed >= wanted ? ReclaimEnd.Enough : run.Trouble);
    }

    /// <summary>Fills a batch: its pages are Evicting, unmapped, and wait for the consumers.</summary>
    private int Choose(ref ReclaimRun run, bool mayWait)
    {
        int number = TakeBatch();
        var wait = default(Wait);
        while (number == NoBatch)
        {
            if (!mayWait) return NoBatch;
            wait.Step();
            number = TakeBatch();
        }
        EvictionLanes* lanes = BatchAt(number);
        _lock.Acquire();
        bool found = TryPick(lanes, ref run, out _owners[number]);
        if (found) TakeAway(number);
        _lock.Release();
        if (found)
        {
            run.MetChange |= lanes->MetChange;
            run.Pending += lanes->Count;
            return number;
        }
        GiveBatch(number);
        run.IsOver = true;
        return NoBatch;
    }

    /// <summary>Brings a batch to its end, or to the writers.</summary>
    private void Conclude(int number, ref ReclaimRun run, bool handsOver)
    {
        EvictionLanes* lanes = BatchAt(number);
        Settle(number);
        SpareWhatIsHeld(lanes);
        if (handsOver && (lanes->Dirty & ~lanes->Spared) != 0)
        {
            HandOver(number);
            return;
        }
        int count = lanes->Count;
        // Only an entry knew that these are dirty: clean ones may lie behind them, so that is no reason to end.
        if (run.Failures == FailuresMax) lanes->Spared |= lanes->Dirty;
        int freed = StoreAndFinish(number, out ReclaimEnd trouble);
        run.Pending -= count;
        run.Freed += freed;
        if (trouble != ReclaimEnd.Enough) run.Trouble = trouble;
        if (freed != 0 || run.Trouble == ReclaimEnd.Exhausted) return;
        // A few more batches are tried; then dirty pages stay, and clean ones go still.
        if (run.Failures < FailuresMax) run.Failures++;
    }

    /// <summary>Stores what is dirty, frees what may go, gives the batch back; returns frames freed.</summary>
    private int StoreAndFinish(int number, out ReclaimEnd trouble)
    {
        EvictionLanes* lanes = BatchAt(number);
        bool stored = false;
        try
        {
            Store(number);
            stored = true;
        }
        finally
        {
            // A pager that throws must not leave pages in flight: changes of the map would wait for them for ever.
            if (!stored) Abandon(number);
        }
        if (Planted.Is(PlantedFault.DirtyClearedAfterStore)) ClearDirty(lanes);
        trouble = lanes->Trouble;
        int freed = lanes->IsLaundry ? FinishLaundry(number) : Finish(number);
        GiveBatch(number);
        return freed;
    }

    /// <summary>Puts every page of a batch back to where it was.</summary>
    private void Abandon(int number)
    {
        EvictionLanes* lanes = BatchAt(number);
        lanes->Spared = lanes->All;
        if (lanes->IsLaundry) FinishLaundry(number);
        else Finish(number);
        GiveBatch(number);
    }
}
