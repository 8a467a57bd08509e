using System.Numerics;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Diagnostics;
using Pagoda.PageTables;
using Pagoda.Physical;

namespace Pagoda.Faults;

/// <summary>Which frame a page gets: the one in its place in a run of 512, where a superpage can come of it.</summary>
/// <remarks>
/// The first touch of a window claims its page and makes the run outside the lock, since that zeroes 2 MiB; later ones
/// take their frames under the lock. A window that no single map entry shows whole gets no run, nor does one of whose
/// pages some lie elsewhere already.
/// </remarks>
internal unsafe ref partial struct FaultRun
{
    private enum InPlace : byte
    {
        /// <summary>The frame was taken, or there is none: any frame does.</summary>
        Now,

        /// <summary>The run will be made when the window is unlocked.</summary>
        Later,

        /// <summary>Another fault makes the run.</summary>
        Busy,
    }

    private void NoteWhole(int lane, in MapEntry entry)
    {
        ulong start = _gpa[lane] & ~(ulong)Paging.WindowOffsetMask;
        bool whole = entry.Kind == MapKind.Memory && _pmap.Format.Superpages && start >= entry.Start
            && entry.End - start >= Paging.WindowBytes;
        if (whole) _whole |= 1UL << lane;
        else _whole &= ~(1UL << lane);
    }

    /// <summary>A page's place in its window.</summary>
    private readonly int PlaceOf(int lane) => (int)(_gpa[lane] >> Paging.PageShift) & (Paging.WindowPages - 1);

    private readonly ulong FirstPageOf(int lane) => _lanes->Page[lane] - (ulong)PlaceOf(lane);

    /// <summary>Frames that are not needed now may be taken without others having to go.</summary>
    private readonly bool HasRoom(int frames) => _space.Neighbours.Relief?.HasRoom(frames) ?? true;

    private InPlace FindInPlace(int lane, out uint pfn)
    {
        Reservations reservations = _space.Arena.Reservations;
        VmObject memory = ObjectOf(lane);
        ulong first = FirstPageOf(lane);
        uint* cell = memory.ReservationCell(first);
        pfn = reservations.TryTake(cell, first, PlaceOf(lane));
        if (pfn != 0) return InPlace.Now;
        uint run = Shared.Load(cell);
        if (run == 0 && HasRoom(Paging.WindowPages) && memory.HasNoFrames(first) && reservations.TryBegin(cell))
        {
            _makers |= 1UL << lane;
            _making = cell;
            return InPlace.Later;
        }
        if (run != Reservations.Making) return InPlace.Now;
        return cell == _making ? InPlace.Later : InPlace.Busy;
    }

    /// <summary>Claims a page whose run is announced. False when its word has changed.</summary>
    private bool TryClaimForRun(int lane, ulong* word, ulong seen)
    {
        if (TryClaim(lane, word, seen))
        {
            _zeros |= 1UL << lane;
            return true;
        }
        if ((_makers >> lane & 1) != 0)
        {
            // The page went to somebody else, so this lane will supply nothing: others may announce the run.
            _makers &= ~(1UL << lane);
            Shared.Store(_making, 0);
            _making = null;
        }
        return false;
    }

    /// <summary>Frames for claimed pages of zeros: their runs, then each its own. In no slot, under no lock.</summary>
    private void SupplyZeros()
    {
        if (_zeros == 0) return;
        for (ulong set = _makers; set != 0; set &= set - 1)
        {
            int lane = BitOperations.TrailingZeroCount(set);
            ulong first = FirstPageOf(lane);
            _space.Arena.Reservations.Make(ObjectOf(lane).ReservationCell(first), first);
        }
        _makers = 0;
        _making = null;
        for (ulong set = _zeros; set != 0; set &= set - 1)
        {
            int lane = BitOperations.TrailingZeroCount(set);
            VmObject memory = ObjectOf(lane);
            ulong first = FirstPageOf(lane);
            uint pfn = _space.Arena.Reservations.TryTake(memory.ReservationCell(first), first, PlaceOf(lane));
            if (pfn == 0 && !_consumer.Frames.TryTake(out pfn))
            {
                Unclaim(lane);
                Starve(lane);
                continue;
            }
            FrameTable table = _space.Arena.Frames;
            table.ToPage(pfn, memory.Id, (uint)_lanes->Page[lane]);
            PageState before = PageWord.BeforeOf(Shared.Load((ulong*)_lanes->Word[lane]));
            if (memory.IsNewsToPager(before)) table.RestoreDirty(pfn);
            _lanes->Frame[lane] = pfn;
            _consumer.Counters.Add(Counter.ZeroFills, 1);
        }
    }

    /// <summary>A zeroed frame for a page that a pager fills, in its place if that can be. In no slot.</summary>
    private bool TryTakeFrame(int lane, VmObject memory, out uint pfn)
    {
        if ((_whole >> lane & 1) != 0)
        {
            Reservations reservations = _space.Arena.Reservations;
            ulong first = FirstPageOf(lane);
            uint* cell = memory.ReservationCell(first);
            bool begins = Shared.Load(cell) == 0 && HasRoom(Paging.WindowPages) && memory.HasNoFrames(first);
            if (begins && reservations.TryBegin(cell))
            {
                reservations.Make(cell, first);
            }
            pfn = reservations.TryTake(cell, first, PlaceOf(lane));
            if (pfn != 0) return true;
        }
        return _consumer.Frames.TryTake(out pfn);
    }
}
