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
/// A run of frames is taken and zeroed outside the slot; then, under the lock of the leaf and in the map that was
/// located in, the pages become Resident and the leaf is entered. It needs 512 or 262,144 pages that are zero and in no
/// frame; where that is not so, or no run is free, the fault goes on as one of 4 KiB. Of two that come at once one
/// gives its run back and finds the other's superpage. One is under way at a time; lanes in the same window start
/// again, and find it.
/// </remarks>
internal unsafe ref partial struct FaultRun
{
    /// <summary>Chooses one of a window's lanes to populate for, if one may and can have a superpage.</summary>
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
            while (level > 1 && _populating == 0 && !TryBeginPopulate(lane, level)) level--;
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

    private bool TryBeginPopulate(int lane, int level)
    {
        if (level == 2 && !_space.PopulatesWindows) return false;
        ulong gpa = _gpa[lane];
        ulong bytes = 1UL << Paging.LevelShift(level);
        int pages = (int)(bytes >> Paging.PageShift);
        ulong start = gpa & ~(bytes - 1);
        bool found = _consumer.TryFind(gpa, out MapEntry entry, out VmObject? memory, out ulong generation);
        if (!found || generation != _generation) return false;
        if (start < entry.Start || entry.End - start < bytes || !HasRoom(pages)) return false;
        if (!IsBelowMaximum(pages)) return false;
        // Something is mapped there: smaller leaves have to be made.
        if (_pmap.Lookup(gpa, out int absent) != 0 || absent < 2) return false;
        ulong first = entry.PageAt(start);
        if (level == 2 && Shared.Load(memory!.ReservationCell(first)) != 0) return false;
        if (!memory!.IsAllZero(first, (ulong)pages)) return false;
        _populating = level;
        _populateLane = lane;
        _populateFirst = first;
        _pending &= ~(1UL << lane);
        return true;
    }

    /// <summary>Takes the run of frames, and enters it. In no slot, under no lock.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Populate()
    {
        int level = _populating;
        int lane = _populateLane;
        _populating = 0;
        _populateLane = -1;
        int order = Paging.IndexBits * (level - 1);
        uint run = _space.Arena.Reservations.TakeZeroedRun(order);
        if (run == 0)
        {
            _levelMax = level - 1;
            Restart(lane);
            return;
        }
        _space.Arena.Frames.ToPages(run, 1U << order, _lanes->Object[lane], (uint)_populateFirst);
        if (!_consumer.TryEnter())
        {
            _space.Arena.Allocator.Give(run, order);
            Restart(lane);
            return;
        }
        var gather = new ShootdownGather(_space.Consumers, _space.Limbo);
        uint used = (uint)EnterAll(lane, level, run, ref gather);
        _consumer.Exit();
        gather.Commit();
        _consumer.Counters.AddIfAny(Counter.ZeroFills, used);
        if (used == 1U << order) return;
        _levelMax = level - 1;
        for (uint i = used; i < 1U << order; i++) _space.Arena.Allocator.Give(run + i, 0);
    }

    /// <summary>
    /// Makes the pages Resident and enters the leaf, if the map is the one that was located in; returns how many frames
    /// have pages now. Pages of a leaf that could not be entered stay, and are found.
    /// </summary>
    private ulong EnterAll(int lane, int level, uint run, ref ShootdownGather gather)
    {
        ulong bytes = 1UL << Paging.LevelShift(level);
        ulong pages = bytes >> Paging.PageShift;
        ulong start = _gpa[lane] & ~(bytes - 1);
        ulong hpa = (ulong)run << Paging.PageShift;
        PmapStatus status = _pmap.LockSuperpage(start, level, _consumer.Frames, ref gather, out WindowLock window);
        if (status != PmapStatus.Ok)
        {
            Restart(lane);
            return 0;
        }
        ulong used = 0;
        bool entered = false;
        if (_space.Map.Generation == _generation)
        {
            // The map shows the object, and what takes that away needs our lock first.
            used = ObjectOf(lane).Populate(_populateFirst, pages, run, _consumer.Frames);
            var request = new LeafRequest((Prot)_lanes->Prot[lane], (Prot)_lanes->Access[lane],
                wired: (_wired >> lane & 1) != 0);
            entered = used == pages && _pmap.EnterSuperpage(ref window, start, hpa, level, in request,
                _consumer.Frames, ref gather) == PmapStatus.Ok;
        }
        else
        {
            _metEdit = true;
        }
        _pmap.Unlock(in window);
        ulong offset = _gpa[lane] & (bytes - 1) & ~(ulong)Paging.PageOffsetMask;
        if (entered) End(lane, FaultStatus.Resolved, hpa + offset);
        else Restart(lane);
        return used;
    }
}
