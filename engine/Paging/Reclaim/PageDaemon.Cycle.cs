using System;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Physical;
using Pagoda.Tlb;

namespace Pagoda.Reclaim;

/// <summary>Which pages go: ages, the cycle, the hand. The caller has the daemon's lock.</summary>
public sealed unsafe partial class PageDaemon
{
    /// <summary>Generations that an age can tell apart; an age is a byte.</summary>
    private const int AgesMax = 256;

    /// <summary>Whole cycles of one call: one of old pages, one of idle ones, one of whatever there is.</summary>
    private const int CyclesMax = 3;

    /// <summary>A cycle wants this part of the resident pages. Fewer: all is aging; more: ages tell little.</summary>
    private const int CycleShift = 4;

    /// <summary>Bytes of guest-physical space that are aged in one stay in a slot: a quarter million entries.</summary>
    private const ulong AgeChunkBytes = 1UL << 30;

    private int _handSpace = int.MaxValue;  // which space of the snapshot; behind the last, a cycle has ended
    private ulong _handGpa;
    private byte _threshold;                // the age from which on pages go

    /// <summary>
    /// Moves the hand on until something is in the batch. Every page of it is Evicting then, and ours. A call for one
    /// guest has that guest's own hand.
    /// </summary>
    /// <returns>False when the call has been everywhere as often as makes sense.</returns>
    private bool TryPick(EvictionLanes* lanes, ref ReclaimRun run, out Vmspace? owner)
    {
        // What is cold may lie behind the hand, or be older than what this cycle takes.
        if (run.Only is null && Shared.Exchange(&_state->Cooled, 0) != 0) _handSpace = int.MaxValue;
        while (true)
        {
            Vmspace[] spaces = _spaces.Kept;
            bool hasEnded = run.Only is null ? _handSpace >= spaces.Length : run.Only.ReclaimGpa == ulong.MaxValue;
            if (hasEnded)
            {
                owner = null;
                if (spaces.Length == 0 || run.Cycles++ == CyclesMax) return false;
                BeginCycle(run.Missing, run.Only);
            }
            if (run.Only is null)
            {
                owner = spaces[_handSpace];
                if (PickFrom(owner, ref _handGpa, _threshold, lanes, ref run))
                {
                    _handSpace++;
                    _handGpa = 0;
                }
            }
            else
            {
                owner = run.Only;
                ulong gpa = owner.ReclaimGpa;
                owner.ReclaimGpa = PickFrom(owner, ref gpa, owner.ReclaimThreshold, lanes, ref run)
                    ? ulong.MaxValue : gpa;
            }
            if (lanes->Count != 0) return true;
        }
    }

    /// <summary>Picks pages of one space; true when its end was reached.</summary>
    private bool PickFrom(Vmspace space, ref ulong gpa, byte threshold, EvictionLanes* lanes, ref ReclaimRun run)
    {
        ReclaimLock state = space.TryLockForReclaim();
        if (state != ReclaimLock.Taken)
        {
            run.MetChange |= IsChange(space, state);
            return true;
        }
        ulong wanted = ulong.Min((ulong)run.Missing, EvictionLanes.Max);
        wanted = ulong.Min(wanted, SparePagesOf(space));
        bool finished = true;
        if (wanted != 0)
        {
            var picker = new Picker(_frames, lanes, (int)wanted, threshold,
                cleanOnly: run.Trouble != ReclaimEnd.Exhausted);
            finished = ResidentScan.Run(space, ref gpa, ref picker);
        }
        Leave(space);
        return finished;
    }

    /// <summary>
    /// A change of the space's map is under way that ends by itself. Its destruction is none: that waits for the calls
    /// of its consumers, of which reclaim may be part.
    /// </summary>
    private static bool IsChange(Vmspace space, ReclaimLock state) =>
        state == ReclaimLock.Busy && !space.Consumers.IsDying;

    /// <summary>Pages that may be taken from a space. The caller has it locked.</summary>
    private static ulong SparePagesOf(Vmspace space)
    {
        ulong least = space.MinResidentPages;
        if (least == 0) return ulong.MaxValue;
        ulong resident = space.Pmap.CountResident();
        return resident > least ? resident - least : 0;
    }

    /// <summary>A new generation: ages everything, and finds the age from which on enough pages are idle.</summary>
    private void BeginCycle(int wanted, Vmspace? only)
    {
        byte generation = unchecked((byte)(Shared.Load(_frames.Ages) + 1));
        Shared.Store(_frames.Ages, generation);
        new Span<uint>(_histogram, AgesMax).Clear();
        ulong resident = 0;
        foreach (Vmspace space in _spaces.Snapshot)
        {
            Age(space, generation);
            if (only is null || ReferenceEquals(space, only)) resident += CountAges(space, generation);
        }
        ulong enough = ulong.Max((ulong)wanted, resident >> CycleShift);
        ulong idle = 0;
        int age = AgesMax - 1;
        for (; age > 0; age--)
        {
            idle += _histogram[age];
            if (idle >= enough) break;
        }
        if (only is not null)
        {
            only.ReclaimThreshold = (byte)age;
            only.ReclaimGpa = 0;
            return;
        }
        _threshold = (byte)age;
        _handSpace = 0;
        _handGpa = 0;
        _launderSpace = 0;
        _launderGpa = 0;
    }

    /// <summary>Notes which pages of a space were used since the last generation.</summary>
    private static void Age(Vmspace space, byte generation)
    {
        ulong at = 0;
        bool more = true;
        while (more)
        {
            if (space.TryLockForReclaim() != ReclaimLock.Taken) return;
            more = space.Map.TryFindFrom(at, out MapEntry entry, out _, out _);
            if (more)
            {
                at = ulong.Max(at, entry.Start);
                ulong length = ulong.Min(entry.End - at, AgeChunkBytes);
                if (entry.Kind == MapKind.Memory) space.Pmap.Age(at, length, generation);
                at += length;
            }
            Leave(space);
        }
    }

    /// <summary>Counts the pages of a space by age; returns how many are resident.</summary>
    private ulong CountAges(Vmspace space, byte generation)
    {
        var counter = new AgeCounter(_frames, generation, _histogram);
        ulong at = 0;
        bool finished = false;
        while (!finished)
        {
            if (space.TryLockForReclaim() != ReclaimLock.Taken) break;
            finished = ResidentScan.Run(space, ref at, ref counter);
            Leave(space);
        }
        return counter.Count;
    }

    private static void Leave(Vmspace space)
    {
        var gather = new ShootdownGather(space.Consumers, space.Limbo);
        space.UnlockAfterReclaim(ref gather);
    }

    private struct AgeCounter(FrameTable frames, byte generation, uint* histogram) : IResidentVisitor
    {
        private readonly byte* _ages = frames.Ages;
        private readonly byte _generation = generation;
        private readonly uint* _histogram = histogram;

        public ulong Count;

        public bool Visit(VmObject memory, ulong page, ulong* word, ulong seen)
        {
            byte age = unchecked((byte)(_generation - Shared.Load(_ages + (PageWord.HpaOf(seen) >> Paging.PageShift))));
            _histogram[age]++;
            Count++;
            return true;
        }
    }

    private readonly struct Picker(FrameTable frames, EvictionLanes* lanes, int wanted, byte threshold, bool cleanOnly)
        : IResidentVisitor
    {
        private readonly FrameTable _frames = frames;
        private readonly EvictionLanes* _lanes = lanes;
        private readonly byte _generation = Shared.Load(frames.Ages);

        public bool Visit(VmObject memory, ulong page, ulong* word, ulong seen)
        {
            uint pfn = (uint)(PageWord.HpaOf(seen) >> Paging.PageShift);
            byte age = unchecked((byte)(_generation - Shared.Load(_frames.Ages + pfn)));
            bool isHeld = _frames.HoldCount(pfn) != 0 && !Planted.Is(PlantedFault.HoldsNotTested);
            if (age < threshold || isHeld || _frames.WireCount(pfn) != 0) return true;
            if (cleanOnly && _frames.IsDirty(pfn)) return true;
            if (!PageWord.TryMove(word, seen, PageWord.Evicting(PageWord.HpaOf(seen)))) return true;
            _lanes->Insert(word, page, pfn, memory);
            return _lanes->Count < wanted;
        }
    }
}
