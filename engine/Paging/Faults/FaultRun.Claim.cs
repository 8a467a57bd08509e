using System.Runtime.CompilerServices;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Diagnostics;
using Pagoda.PageTables;
using Pagoda.Physical;
using Pagoda.Tlb;

namespace Pagoda.Faults;

/// <summary>Stage 3: enter what needs no wait, claim the rest.</summary>
internal unsafe ref partial struct FaultRun
{
    private void Claim()
    {
        FaultLanes* lanes = _lanes;
        var gather = new ShootdownGather(_space.Consumers, _space.Limbo);
        int first = 0;
        while (first < _ordered)
        {
            ulong window = _gpa[lanes->Order[first]] >> Paging.WindowShift;
            int end = first + 1;
            while (end < _ordered && _gpa[lanes->Order[end]] >> Paging.WindowShift == window) end++;
            ClaimWindow(first, end, ref gather);
            first = end;
        }
        gather.Commit();
    }

    /// <summary>Deals with the lanes of one window, under its lock. No other lock is held.</summary>
    private void ClaimWindow(int first, int end, ref ShootdownGather gather)
    {
        FaultLanes* lanes = _lanes;
        ulong gpa = _gpa[lanes->Order[first]];
        if (_mayPopulate && TryPopulate(first, end)) return;
        if (_pmap.LockWindow(gpa, _consumer.Frames, out WindowLock window) != PmapStatus.Ok)
        {
            for (int i = first; i < end; i++) Starve(lanes->Order[i]);
            return;
        }
        // An editor moves the generation before it comes for the translations, and needs this lock for that: what is
        // entered here is either of the map that is in force, or will be found and removed.
        if (_space.Map.Generation != _generation)
        {
            _pmap.Unlock(in window);
            RestartFrom(first, end);
            return;
        }
        for (int i = first; i < end;)
        {
            int lane = lanes->Order[i];
            int next = Fold(i, end);
            if (lanes->Object[lane] == 0) EnterDevice(lane, ref window, ref gather);
            else ClaimPage(lane, ref window, ref gather);
            i = next;
        }
        if (Planted.Is(PlantedFault.WaitsUnderLock)) gather.CommitAndWait();
        PromoteIfEntered(in window, ref gather);
        _pmap.Unlock(in window);
    }

    /// <summary>
    /// Folds the lanes behind one that name the same page onto it; returns the first that names another.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Fold(int index, int end)
    {
        FaultLanes* lanes = _lanes;
        int leader = lanes->Order[index];
        ulong page = _gpa[leader] >> Paging.PageShift;
        for (index++; index < end; index++)
        {
            int lane = lanes->Order[index];
            if (_gpa[lane] >> Paging.PageShift != page) break;
            lanes->Leader[lane] = (byte)leader;
            lanes->Access[leader] |= lanes->Access[lane];
            _folded |= 1UL << lane;
            _pending &= ~(1UL << lane);
            _consumer.Counters.Add(Counter.FoldedLanes, 1);
        }
        return index;
    }

    private void EnterDevice(int lane, ref WindowLock window, ref ShootdownGather gather)
    {
        ulong hpa = _lanes->Page[lane] << Paging.PageShift;
        var request = new LeafRequest((Prot)_lanes->Prot[lane], (Prot)_lanes->Access[lane], managed: false,
            uncached: true);
        Enter(lane, hpa, in request, ref window, ref gather);
    }

    private void ClaimPage(int lane, ref WindowLock window, ref ShootdownGather gather)
    {
        FaultLanes* lanes = _lanes;
        ulong* word = (ulong*)lanes->Word[lane];
        if (word == null) word = ObjectOf(lane).MakeWord(lanes->Page[lane], _consumer.Frames);
        if (word == null)
        {
            Starve(lane);
            return;
        }
        while (true)
        {
            ulong seen = Shared.Load(word);
            PageState state = PageWord.StateOf(seen);
            if (state is PageState.Absent or PageState.Zero or PageState.Swapped)
            {
                if (!TryTakePage(lane, word, seen, state, out ulong hpa)) continue;
                if (hpa != 0) EnterPage(lane, hpa, ref window, ref gather);
                return;
            }
            if (state == PageState.Resident)
            {
                EnterPage(lane, PageWord.HpaOf(seen), ref window, ref gather);
                return;
            }
            if (!TryJoin(lane, word, seen, state)) continue;
            // Evicting or Laundering: its owner finds the mark, and spares the page.
            if ((_pending >> lane & 1) != 0) EnterPage(lane, PageWord.HpaOf(seen), ref window, ref gather);
            return;
        }
    }

    /// <summary>A page in no frame: zeros that are at hand make it Resident, anything else is claimed.</summary>
    /// <param name="lane">The lane.</param>
    /// <param name="word">The page's word.</param>
    /// <param name="seen">Its value.</param>
    /// <param name="state">Its state.</param>
    /// <param name="hpa">The frame; 0 when the lane was claimed or ended.</param>
    /// <returns>False when the word has changed: look again.</returns>
    private bool TryTakePage(int lane, ulong* word, ulong seen, PageState state, out ulong hpa)
    {
        FaultLanes* lanes = _lanes;
        hpa = 0;
        bool isZero = state == PageState.Zero || (state == PageState.Absent && ObjectOf(lane).IsAbsentZero);
        if (!isZero) return TryClaim(lane, word, seen);
        uint pfn = 0;
        if ((_whole >> lane & 1) != 0)
        {
            InPlace place = FindInPlace(lane, out pfn);
            if (place == InPlace.Later) return TryClaimForRun(lane, word, seen);
            if (place == InPlace.Busy)
            {
                Restart(lane);
                _metMaking = true;
                return true;
            }
        }
        if (pfn == 0 && !_consumer.Frames.TryTake(out pfn))
        {
            Starve(lane);
            return true;
        }
        FrameTable table = _space.Arena.Frames;
        table.ToPage(pfn, lanes->Object[lane], (uint)lanes->Page[lane]);
        if ((seen & PageWord.Written) != 0) table.SetWritten(pfn);
        if (ObjectOf(lane).IsNewsToPager(state)) table.RestoreDirty(pfn);
        ulong frame = (ulong)pfn << Paging.PageShift;
        if (!PageWord.TryMove(word, seen, PageWord.Resident(frame)))
        {
            // Another window that shows the page was faster.
            _consumer.Frames.Give(pfn);
            return false;
        }
        _consumer.Counters.Add(Counter.ZeroFills, 1);
        hpa = frame;
        return true;
    }

    /// <summary>Claims a page: its frame and content are supplied once the window is unlocked.</summary>
    private bool TryClaim(int lane, ulong* word, ulong seen)
    {
        if (!PageWord.TryMove(word, seen, PageWord.Claimed(seen))) return false;
        Take(lane, word);
        return true;
    }

    /// <summary>The lane's page is Busy, and ours.</summary>
    private void Take(int lane, ulong* word)
    {
        _lanes->Word[lane] = (ulong)word;
        _lanes->Frame[lane] = 0;
        _pending &= ~(1UL << lane);
        _claimed |= 1UL << lane;
    }

    /// <summary>A page that belongs to somebody else, or is lost. False: the word has changed.</summary>
    private bool TryJoin(int lane, ulong* word, ulong seen, PageState state)
    {
        switch (state)
        {
            case PageState.Busy when Planted.Is(PlantedFault.ReadsWithoutClaim):
                Take(lane, word);
                return true;
            case PageState.Busy:
                if (!PageWord.TryMark(word, seen, PageWord.Wait)) return false;
                Restart(lane);
                _metBusy = word;
                _busySeen = seen;
                return true;
            case PageState.Poisoned:
                End(lane, FaultStatus.Poisoned);
                return true;
            default:
                Invariant.Assert(state is PageState.Evicting or PageState.Laundering);
                if (Planted.Is(PlantedFault.FaultDoesNotRescue)) return true;
                return PageWord.TryMark(word, seen, PageWord.Rescued);
        }
    }

    private void EnterPage(int lane, ulong hpa, ref WindowLock window, ref ShootdownGather gather)
    {
        var request = new LeafRequest((Prot)_lanes->Prot[lane], (Prot)_lanes->Access[lane],
            wired: (_wired >> lane & 1) != 0);
        Enter(lane, hpa, in request, ref window, ref gather);
    }

    private void Enter(int lane, ulong hpa, in LeafRequest request, ref WindowLock window, ref ShootdownGather gather)
    {
        ulong gpa = _gpa[lane] & ~(ulong)Paging.PageOffsetMask;
        switch (_pmap.Enter(ref window, gpa, hpa, in request, _consumer.Frames, ref gather))
        {
            case PmapStatus.Ok:
                _entered = true;
                End(lane, FaultStatus.Resolved, hpa);
                return;
            case PmapStatus.Unchanged:
                End(lane, FaultStatus.Spurious, hpa);
                return;
            case PmapStatus.NoFrame:
                // The page stays Resident, unmapped: the same fault finds it there.
                Starve(lane);
                return;
            default:
                // The map allowed the access, and an old mapping of the range was removed before the map showed a new
                // one.
                Invariant.Fail("a fault met a foreign mapping, or rights that the map does not give");
                return;
        }
    }
}
