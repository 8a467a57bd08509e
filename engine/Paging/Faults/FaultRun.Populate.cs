using System.Runtime.CompilerServices;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Diagnostics;
using Pagoda.PageTables;
using Pagoda.Physical;
using Pagoda.Tlb;

namespace Pagoda.Faults;

/// <summary>One fault that maps a whole window, or a whole GiB, by one leaf.</summary>
/// <remarks>
/// The stages are those of a page: every page of the superpage is claimed, a run of frames is taken and zeroed outside
/// the slot, and the leaf is entered under its lock if the map is still the same. It needs 512 or 262,144 pages that
/// are zero and in no frame; where that is not so, or no run is free, the fault goes on as one of 4 KiB. One superpage
/// is under way at a time; lanes in the same window start again, and find it.
/// </remarks>
internal unsafe ref partial struct FaultRun
{
    /// <summary>Claims all pages of a superpage for one of a window's lanes, if one may and can have it.</summary>
    /// <returns>True when the lanes are dealt with.</returns>
    private bool TryPopulate(int first, int end)
    {
        if (_levelMax == 1) return false;
        int leader = -1;
        for (int i = first; i < end && leader < 0; i++)
        {
            int lane = _lanes->Order[i];
            int level = LevelWanted(lane);
            // One is under way: this one comes in the next turn.
            while (level > 1 && _populating == 0 && !TryClaimAll(lane, level)) level--;
            if (level > 1) leader = lane;
        }
        if (leader < 0) return false;
        for (int i = first; i < end; i++)
        {
            int lane = _lanes->Order[i];
            if (lane != _populateLane) Restart(lane);
        }
        return true;
    }

    /// <summary>The level of the leaf that a lane should get: 1 GiB if it is to stay or was asked for ahead.</summary>
    private readonly int LevelWanted(int lane)
    {
        bool isWrite = (_lanes->Access[lane] & (byte)Prot.Write) != 0;
        if (!isWrite || (_whole >> lane & 1) == 0 || _lanes->Entry[lane] != 0) return 1;
        bool isStaying = (_wired >> lane & 1) != 0 || _consumer.Prefaults;
        if (_levelMax == 0 && isStaying && _pmap.Format.Gigapages) return 3;
        return _space.PopulatesWindows && _pmap.Format.Superpages ? 2 : 1;
    }

    private bool TryClaimAll(int lane, int level)
    {
        if (level == 2 && !_space.PopulatesWindows) return false;
        ulong gpa = _gpa[lane];
        ulong bytes = 1UL << Paging.LevelShift(level);
        int pages = (int)(bytes >> Paging.PageShift);
        ulong start = gpa & ~(bytes - 1);
        bool found = _consumer.TryFind(gpa, out MapEntry entry, out VmObject? memory, out ulong generation);
        if (!found || generation != _generation || !memory!.IsAbsentZero) return false;
        if (start < entry.Start || entry.End - start < bytes || !HasRoom(pages)) return false;
        // Something is mapped there: smaller leaves have to be made.
        if (_pmap.Lookup(gpa, out int absent) != 0 || absent < 2) return false;
        ulong first = entry.PageAt(start);
        if (level == 2 && Shared.Load(memory.ReservationCell(first)) != 0) return false;
        if (!TryClaimPages(memory, first, (ulong)pages)) return false;
        _populating = level;
        _populateLane = lane;
        _populateFirst = first;
        _pending &= ~(1UL << lane);
        return true;
    }

    /// <summary>Claims a run of pages, all of which are zero and in no frame, or none.</summary>
    private readonly bool TryClaimPages(VmObject memory, ulong first, ulong count)
    {
        ulong end = first + count;
        ulong page = first;
        while (page < end)
        {
            ulong* word = memory.MakeWord(page, _consumer.Frames);
            if (word == null) break;
            ulong stop = ulong.Min(end, (page | (PageWord.WordsPerWindow - 1)) + 1);
            for (; page < stop; page++, word++)
            {
                ulong seen = Shared.Load(word);
                bool isZero = PageWord.StateOf(seen) is PageState.Absent or PageState.Zero;
                if (!isZero || !PageWord.TryMove(word, seen, PageWord.Claimed(seen))) break;
            }
            if (page < stop) break;
        }
        if (page == end) return true;
        UnclaimPages(memory, first, page);
        return false;
    }

    private static void UnclaimPages(VmObject memory, ulong first, ulong end)
    {
        for (ulong page = first; page < end; page++)
        {
            ulong* word = memory.FindWord(page);
            PageWord.Publish(word, PageWord.Unclaimed(Shared.Load(word)));
        }
    }

    /// <summary>Gives the claimed pages their frames, and enters them. In no slot, under no lock.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Populate()
    {
        int level = _populating;
        int lane = _populateLane;
        _populateLane = -1;
        VmObject memory = ObjectOf(lane);
        ulong first = _populateFirst;
        int order = Paging.IndexBits * (level - 1);
        ulong end = first + (1UL << order);
        uint run = _space.Arena.Reservations.TakeZeroedRun(order);
        _populating = 0;
        if (run == 0 || !_consumer.TryEnter())
        {
            // The fault goes on with a smaller superpage, or finds that the guest is going.
            if (run != 0) _space.Arena.Allocator.Give(run, order);
            UnclaimPages(memory, first, end);
            _levelMax = level - 1;
            Restart(lane);
            return;
        }
        PreparePages(memory, first, end, run);
        var gather = new ShootdownGather(_space.Consumers, _space.Limbo);
        EnterAll(lane, level, run, ref gather);
        for (ulong page = first; page < end; page++, run++)
            PageWord.Publish(memory.FindWord(page), PageWord.Resident((ulong)run << Paging.PageShift));
        _consumer.Exit();
        gather.Commit();
        _consumer.Counters.Add(Counter.ZeroFills, 1UL << order);
    }

    private readonly void PreparePages(VmObject memory, ulong first, ulong end, uint run)
    {
        FrameTable table = _space.Arena.Frames;
        for (ulong page = first; page < end; page++, run++)
        {
            ulong seen = Shared.Load(memory.FindWord(page));
            table.ToPage(run, memory.Id, (uint)page);
            if (IsNewsToPager(PageWord.BeforeOf(seen), memory)) table.RestoreDirty(run);
            if ((seen & PageWord.Written) != 0) table.SetWritten(run);
        }
    }

    /// <summary>
    /// Enters the leaf if the map is the one that was located in; otherwise the pages stay unmapped, and are found.
    /// </summary>
    private void EnterAll(int lane, int level, uint run, ref ShootdownGather gather)
    {
        ulong bytes = 1UL << Paging.LevelShift(level);
        ulong start = _gpa[lane] & ~(bytes - 1);
        ulong hpa = (ulong)run << Paging.PageShift;
        var request = new LeafRequest((Prot)_lanes->Prot[lane], (Prot)_lanes->Access[lane] | Prot.Write,
            wired: (_wired >> lane & 1) != 0);
        PmapStatus status = _pmap.LockSuperpage(start, level, _consumer.Frames, ref gather, out WindowLock window);
        bool entered = false;
        if (status == PmapStatus.Ok)
        {
            bool current = _space.Map.Generation == _generation;
            _metEdit |= !current;
            entered = current && _pmap.EnterSuperpage(ref window, start, hpa, level, in request, _consumer.Frames,
                ref gather) == PmapStatus.Ok;
            _pmap.Unlock(in window);
        }
        ulong offset = _gpa[lane] & (bytes - 1) & ~(ulong)Paging.PageOffsetMask;
        if (entered) End(lane, FaultStatus.Resolved, hpa + offset);
        else if (status == PmapStatus.NoFrame) Starve(lane);
        else Restart(lane);
    }
}
