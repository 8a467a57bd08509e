using System;
using System.Numerics;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Diagnostics;
using Pagoda.PageTables;
using Pagoda.Pagers;
using Pagoda.Physical;
using Pagoda.Tlb;

namespace Pagoda.Reclaim;

/// <summary>
/// How pages go. For all pages of the batch, in this order and no other: Evicting, so that they have one owner; out of
/// every table that shows them, M to the frames; the dirty flags taken; a generation of every space; every consumer has
/// let go; hold counts; content stored; last look at marks; free.
/// </summary>
/// <remarks>
/// A fault on a page of the batch does not wait: it marks the word rescued and maps the page again, so the last step, a
/// compare-and-swap of the whole word, fails. A hold that found its page before it was unmapped is counted, or over and
/// has left the dirty flag, by the time that every consumer has let go.
/// </remarks>
public sealed unsafe partial class PageDaemon
{
    /// <summary>Takes the batch out of memory; returns frames freed.</summary>
    private int Evict(Vmspace owner)
    {
        EvictionLanes* lanes = _lanes;
        bool finished = false;
        try
        {
            if (UnmapEverywhere())
            {
                bool dirtyFirst = !Planted.Is(PlantedFault.EvictionTakesDirtyLast);
                bool holdsFirst = Planted.Is(PlantedFault.HoldsTestedBeforeGrace);
                if (dirtyFirst) TakeDirty();
                if (holdsFirst) SpareHeld();
                WaitForConsumers();
                if (!dirtyFirst) TakeDirty();
                if (!holdsFirst) SpareHeld();
                Store(owner.Counters);
                if (Planted.Is(PlantedFault.DirtyClearedAfterStore)) ClearDirty();
            }
            else
            {
                lanes->Spared = lanes->All;
            }
            finished = true;
        }
        finally
        {
            // A pager that throws must not leave pages in flight: changes of the map would wait for them for ever.
            if (!finished)
            {
                lanes->Spared = lanes->All;
                Finish(owner.Counters);
                Release();
            }
        }
        return Finish(owner.Counters);
    }

    /// <summary>
    /// Removes every mapping of the batch. False: a map is being changed, so some may be left that it does not show.
    /// </summary>
    private bool UnmapEverywhere()
    {
        // Taken behind the moves to Evicting: whoever maps a page after this finds it so, and rescues it.
        ReadOnlySpan<Vmspace> spaces = _spaces.Snapshot;
        bool all = true;
        foreach (Vmspace space in spaces) all &= UnmapIn(space);
        return all;
    }

    private bool UnmapIn(Vmspace space)
    {
        space.ReclaimTag = 0;
        ReclaimLock state = space.TryLockForReclaim();
        if (state != ReclaimLock.Taken) return state == ReclaimLock.Gone;
        EvictionLanes* lanes = _lanes;
        var sink = new EvictionSink(new ShootdownGather(space.Consumers, space.Limbo));
        ulong at = 0;
        while (space.Map.TryFindFrom(at, out MapEntry entry, out VmObject? memory, out _))
        {
            at = entry.End;
            if (entry.Kind != MapKind.Memory) continue;
            uint id = memory!.Id;
            ulong pages = entry.Length >> Paging.PageShift;
            for (int lane = 0; lane < lanes->Count; lane++)
            {
                ulong offset = lanes->Page[lane] - entry.Page;
                if (lanes->Object[lane] != id || offset >= pages) continue;
                if (space.ReclaimTag == 0) space.NoteUnmappedMarks();
                space.ReclaimTag = ulong.MaxValue;
                ulong gpa = entry.Start + (offset << Paging.PageShift);
                PmapStatus status = space.Pmap.Evict(gpa, space.Control.Frames, ref sink);
                if (status == PmapStatus.Denied) lanes->Spared |= 1UL << lane;
            }
        }
        space.UnlockAfterReclaim(ref sink.Gather);
        return true;
    }

    private void TakeDirty()
    {
        EvictionLanes* lanes = _lanes;
        for (ulong set = lanes->All & ~lanes->Spared; set != 0; set &= set - 1)
        {
            int lane = BitOperations.TrailingZeroCount(set);
            uint pfn = lanes->Frame[lane];
            bool later = Planted.Is(PlantedFault.DirtyClearedAfterStore);
            if (later ? _frames.IsDirty(pfn) : _frames.TakeDirty(pfn)) lanes->Dirty |= 1UL << lane;
        }
    }

    private void ClearDirty()
    {
        for (ulong set = _lanes->Dirty; set != 0; set &= set - 1)
        {
            _frames.TakeDirty(_lanes->Frame[BitOperations.TrailingZeroCount(set)]);
        }
    }

    /// <summary>One generation of each space that shows a page; then nobody has a translation.</summary>
    private void WaitForConsumers()
    {
        ReadOnlySpan<Vmspace> spaces = _spaces.Snapshot;
        foreach (Vmspace space in spaces)
        {
            if (space.ReclaimTag != 0) space.ReclaimTag = space.Consumers.Advance();
        }
        foreach (Vmspace space in spaces)
        {
            if (Planted.Is(PlantedFault.EvictionWithoutGrace)) continue;
            if (space.ReclaimTag != 0) space.Consumers.WaitFor(space.ReclaimTag);
        }
    }

    private void SpareHeld()
    {
        EvictionLanes* lanes = _lanes;
        if (Planted.Is(PlantedFault.HoldsNotTested)) return;
        for (ulong set = lanes->All & ~lanes->Spared; set != 0; set &= set - 1)
        {
            int lane = BitOperations.TrailingZeroCount(set);
            if (_frames.HoldCount(lanes->Frame[lane]) != 0) lanes->Spared |= 1UL << lane;
        }
    }

    /// <summary>Frees what may go, puts the rest back; returns frames freed.</summary>
    private int Finish(CounterTable counters)
    {
        EvictionLanes* lanes = _lanes;
        uint* free = stackalloc uint[EvictionLanes.Max];
        int freed = 0;
        ulong clean = 0;
        for (int lane = 0; lane < lanes->Count; lane++)
        {
            uint pfn = lanes->Frame[lane];
            bool spared = (lanes->Spared >> lane & 1) != 0;
            bool dirty = (lanes->Dirty >> lane & 1) != 0;
            if (spared || !TryLeave(lane))
            {
                // The flag before the word: who owns the page next must find it. A page that was stored and rescued is
                // clean unless the mapping that saved it says otherwise.
                if (spared && dirty && !Planted.Is(PlantedFault.EvictionDropsDirtyFlag)) _frames.RestoreDirty(pfn);
                Shared.Store(_frames.Ages + pfn, Shared.Load(_frames.Ages));
                PageWord.Publish((ulong*)lanes->Word[lane], PageWord.Resident((ulong)pfn << Paging.PageShift));
                continue;
            }
            if (!dirty) clean++;
            bool isOurs = _frames.Orphan(pfn);
            Invariant.Require(isOurs);
            free[freed++] = pfn;
        }
        if (freed != 0) _arena.Allocator.GiveBatch(free, freed);
        if (clean != 0) counters.AddShared(Counter.CleanEvictions, clean);
        lanes->Clear();
        return freed;
    }

    /// <summary>Makes a page leave its frame. False: it was rescued, or written by a hold since.</summary>
    private bool TryLeave(int lane)
    {
        EvictionLanes* lanes = _lanes;
        uint pfn = lanes->Frame[lane];
        ulong* word = (ulong*)lanes->Word[lane];
        bool isZero = (lanes->Zero >> lane & 1) != 0;
        while (true)
        {
            ulong seen = Shared.Load(word);
            if ((seen & PageWord.Rescued) != 0 && !Planted.Is(PlantedFault.EvictionIgnoresRescue)) return false;
            if (_frames.IsDirty(pfn) && !Planted.Is(PlantedFault.EvictionIgnoresLastDirty)) return false;
            ulong next = isZero ? (ulong)PageState.Zero : PageWord.Of(PageState.Swapped, 0);
            if (_frames.IsWritten(pfn)) next |= PageWord.Written;
            if (PageWord.TryPublish(word, seen, next)) return true;
        }
    }
}
