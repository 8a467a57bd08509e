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

    /// <summary>Batches of one call that may fail whole because nothing can be stored.</summary>
    private const int FailuresMax = 8;

    /// <summary>Frames that a fault asks for at least: a batch is hardly more work than one page.</summary>
    private const ulong ReliefMin = 32;

    /// <summary>A cycle wants this part of the resident pages. Fewer: all is aging; more: ages tell little.</summary>
    private const int CycleShift = 4;

    /// <summary>Bytes of guest-physical space that are aged in one stay in a slot: a quarter million entries.</summary>
    private const ulong AgeChunkBytes = 1UL << 30;

    private int _handSpace = int.MaxValue;  // which space of the snapshot; behind the last, a cycle has ended
    private ulong _handGpa;
    private byte _threshold;                // the age from which on pages go
    private ReclaimEnd _trouble;

    /// <summary>Frees frames until enough are, or nothing more can be.</summary>
    private ReclaimResult RunCycles(int wanted)
    {
        int freed = 0;
        int cycles = 0;
        int failures = 0;
        _trouble = ReclaimEnd.Exhausted;
        // What is cold may lie behind the hand, or be older than what this cycle takes.
        if (Shared.Load(_cells + CooledCell) != 0)
        {
            Shared.Store(_cells + CooledCell, 0);
            _handSpace = int.MaxValue;
        }
        while (freed < wanted)
        {
            if (_handSpace >= _spaces.Snapshot.Length)
            {
                if (cycles++ == CyclesMax) return new ReclaimResult(freed, _trouble);
                BeginCycle(wanted - freed);
                if (_spaces.Snapshot.Length == 0) return new ReclaimResult(freed, _trouble);
            }
            Vmspace? owner = Pick(wanted - freed);
            if (owner is null) continue;
            int got = Evict(owner);
            freed += got;
            if (got != 0 || _trouble == ReclaimEnd.Exhausted) continue;
            // Clean pages may go still, so a few more batches are tried; those that are known to be dirty are left out.
            if (++failures == FailuresMax) return new ReclaimResult(freed, _trouble);
        }
        return new ReclaimResult(freed, ReclaimEnd.Enough);
    }

    /// <summary>A new generation: ages everything, and finds the age from which on enough pages are idle.</summary>
    private void BeginCycle(int wanted)
    {
        byte generation = unchecked((byte)(Shared.Load(_frames.Ages) + 1));
        Shared.Store(_frames.Ages, generation);
        new Span<uint>(_histogram, AgesMax).Clear();
        ulong resident = 0;
        foreach (Vmspace space in _spaces.Snapshot) resident += AgeSpace(space, generation);
        ulong enough = ulong.Max((ulong)wanted, resident >> CycleShift);
        ulong idle = 0;
        int age = AgesMax - 1;
        for (; age > 0; age--)
        {
            idle += _histogram[age];
            if (idle >= enough) break;
        }
        _threshold = (byte)age;
        _handSpace = 0;
        _handGpa = 0;
    }

    /// <summary>Ages the pages of a space and counts them by age; returns how many are resident.</summary>
    private ulong AgeSpace(Vmspace space, byte generation)
    {
        ulong at = 0;
        bool more = true;
        while (more)
        {
            if (space.TryLockForReclaim() != ReclaimLock.Taken) return 0;
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
        var counter = new AgeCounter(_frames, generation, _histogram);
        at = 0;
        bool finished = false;
        while (!finished)
        {
            if (space.TryLockForReclaim() != ReclaimLock.Taken) break;
            finished = ResidentScan.Run(space, ref at, ref counter);
            Leave(space);
        }
        return counter.Count;
    }

    /// <summary>
    /// Moves the hand on until a batch is full or its space ends. Every page of the batch is Evicting then, and ours.
    /// </summary>
    /// <returns>The space; null when nothing was found there.</returns>
    private Vmspace? Pick(int wanted)
    {
        ReadOnlySpan<Vmspace> spaces = _spaces.Snapshot;
        if (_handSpace >= spaces.Length) return null;
        Vmspace space = spaces[_handSpace];
        _lanes->Clear();
        bool finished = true;
        if (space.TryLockForReclaim() == ReclaimLock.Taken)
        {
            var picker = new Picker(_frames, _lanes, int.Min(wanted, EvictionLanes.Max), _threshold,
                cleanOnly: _trouble != ReclaimEnd.Exhausted);
            finished = ResidentScan.Run(space, ref _handGpa, ref picker);
            Leave(space);
        }
        if (finished)
        {
            _handSpace++;
            _handGpa = 0;
        }
        return _lanes->Count == 0 ? null : space;
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
            if (age < threshold || _frames.HoldCount(pfn) != 0 || _frames.WireCount(pfn) != 0) return true;
            if (cleanOnly && _frames.IsDirty(pfn)) return true;
            if (!PageWord.TryMove(word, seen, PageWord.Evicting(PageWord.HpaOf(seen)))) return true;
            _lanes->Insert(word, page, pfn, memory.Id);
            return _lanes->Count < wanted;
        }
    }
}
