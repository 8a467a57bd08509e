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
    /// <summary>
    /// Takes the batch out of every table that shows it, M to the frames; then the dirty flags; then announces it.
    /// </summary>
    private void TakeAway(int number)
    {
        EvictionLanes* lanes = BatchAt(number);
        // A map is being changed, so some mapping may be left that no map shows: then all stay.
        if (!VisitEverywhere(number)) lanes->Spared = lanes->All;
        bool dirtyFirst = !Planted.Is(PlantedFault.EvictionTakesDirtyLast);
        if (dirtyFirst) TakeDirty(lanes);
        if (Planted.Is(PlantedFault.HoldsTestedBeforeGrace)) SpareHeld(lanes);
        Announce(number);
    }

    /// <summary>
    /// Removes, or cleans, every mapping of the batch. False: a map is being changed, so some may be left that it does
    /// not show.
    /// </summary>
    private bool VisitEverywhere(int number)
    {
        // Taken behind the moves to Evicting: whoever maps a page after this finds it so, and rescues it.
        Vmspace[] spaces = _spaces.Kept;
        _shown[number] = spaces;
        EvictionLanes* lanes = BatchAt(number);
        bool all = true;
        for (int i = 0; i < spaces.Length; i++)
        {
            // Nobody else can show private memory, so what happens to the maps of others is no matter.
            bool mayShow = lanes->IsShared || ReferenceEquals(spaces[i], _owners[number]);
            if (mayShow) all &= VisitIn(lanes, i, spaces[i]);
        }
        return all;
    }

    private static bool VisitIn(EvictionLanes* lanes, int index, Vmspace space)
    {
        ReclaimLock state = space.TryLockForReclaim();
        if (state != ReclaimLock.Taken)
        {
            lanes->MetChange |= IsChange(space, state);
            return state == ReclaimLock.Gone;
        }
        var sink = new EvictionSink(new ShootdownGather(space.Consumers, space.Limbo));
        ulong spare = lanes->IsLaundry ? ulong.MaxValue : SparePagesOf(space);
        bool isShown = false;
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
                if (!isShown)
                {
                    lanes->AddSpace(index);
                    // In front of the first mapping that goes: a harvest that misses it in the tables looks further.
                    if (!lanes->IsLaundry) space.NoteUnmappedMarks();
                    isShown = true;
                }
                ulong gpa = entry.Start + (offset << Paging.PageShift);
                if (!TryVisit(lanes, space, gpa, ref sink, ref spare)) lanes->Spared |= 1UL << lane;
            }
        }
        space.UnlockAfterReclaim(ref sink.Gather);
        return true;
    }

    /// <summary>Unmaps a page of the batch at one place, or cleans it. False: it stays as it is.</summary>
    private static bool TryVisit(EvictionLanes* lanes, Vmspace space, ulong gpa, ref EvictionSink sink, ref ulong spare)
    {
        if (lanes->IsLaundry) return space.Pmap.Clean(gpa, space.Control.Frames, ref sink) == PmapStatus.Ok;
        if (spare != ulong.MaxValue && space.Pmap.Lookup(gpa, out _) != 0)
        {
            // At its minimum a guest keeps what it has, also what others show.
            if (spare == 0) return false;
            spare--;
        }
        return space.Pmap.Evict(gpa, space.Control.Frames, ref sink) != PmapStatus.Denied;
    }

    private void TakeDirty(EvictionLanes* lanes)
    {
        for (ulong set = lanes->All & ~lanes->Spared; set != 0; set &= set - 1)
        {
            int lane = BitOperations.TrailingZeroCount(set);
            uint pfn = lanes->Frame[lane];
            bool later = Planted.Is(PlantedFault.DirtyClearedAfterStore);
            if (later ? _frames.IsDirty(pfn) : _frames.TakeDirty(pfn)) lanes->Dirty |= 1UL << lane;
        }
    }

    private void ClearDirty(EvictionLanes* lanes)
    {
        for (ulong set = lanes->Dirty; set != 0; set &= set - 1)
        {
            _frames.TakeDirty(lanes->Frame[BitOperations.TrailingZeroCount(set)]);
        }
    }

    /// <summary>One generation of each space that showed a page: what is older must be let go.</summary>
    private void Announce(int number)
    {
        EvictionLanes* lanes = BatchAt(number);
        Vmspace[] spaces = _shown[number]!;
        for (int i = 0; i < lanes->Spaces; i++) lanes->Tag[i] = spaces[lanes->Space[i]].Consumers.Advance();
        if (!lanes->IsCrowded) return;
        foreach (Vmspace space in spaces) space.Consumers.WaitFor(space.Consumers.Advance());
    }

    /// <summary>Behind the grace period: a hold that found its page before it is counted by now, or over.</summary>
    private void SpareWhatIsHeld(EvictionLanes* lanes)
    {
        if (Planted.Is(PlantedFault.EvictionTakesDirtyLast)) TakeDirty(lanes);
        if (!Planted.Is(PlantedFault.HoldsTestedBeforeGrace)) SpareHeld(lanes);
    }

    private void SpareHeld(EvictionLanes* lanes)
    {
        if (Planted.Is(PlantedFault.HoldsNotTested)) return;
        for (ulong set = lanes->All & ~lanes->Spared; set != 0; set &= set - 1)
        {
            int lane = BitOperations.TrailingZeroCount(set);
            if (_frames.HoldCount(lanes->Frame[lane]) != 0) lanes->Spared |= 1UL << lane;
        }
    }

    /// <summary>Frees what may go, puts the rest back; returns frames freed.</summary>
    private int Finish(int number)
    {
        EvictionLanes* lanes = BatchAt(number);
        uint* free = stackalloc uint[EvictionLanes.Max];
        int freed = 0;
        ulong clean = 0;
        for (int lane = 0; lane < lanes->Count; lane++)
        {
            uint pfn = lanes->Frame[lane];
            bool spared = (lanes->Spared >> lane & 1) != 0;
            bool dirty = (lanes->Dirty >> lane & 1) != 0;
            if (spared || !TryLeave(lanes, lane))
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
        if (clean != 0) _owners[number]!.Counters.AddShared(Counter.CleanEvictions, clean);
        Shared.Add(&_state->Freed, (ulong)freed);
        return freed;
    }

    /// <summary>Makes a page leave its frame. False: it was rescued, or written by a hold since.</summary>
    private bool TryLeave(EvictionLanes* lanes, int lane)
    {
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
