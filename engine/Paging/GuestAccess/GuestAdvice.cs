using System;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.PageTables;

namespace Pagoda.GuestAccess;

/// <summary>Bringing memory in ahead of its use, and the other advices.</summary>
[AllocationFree]
internal static unsafe class GuestAdvice
{
    /// <summary>Pages of one batch of faults, which may lie in several ranges.</summary>
    private const int LanesMax = 64;

    /// <summary>Pages that are looked at in one stay in a slot.</summary>
    private const int LooksMax = 1 << 16;

    /// <summary>Acts on an advice about some ranges.</summary>
    /// <param name="consumer">The caller's, outside its slot and every other one of the guest.</param>
    /// <param name="ranges">Page aligned, below the end of the address space; holes and devices are passed
    /// over.</param>
    /// <param name="advice">The advice.</param>
    /// <exception cref="MapException">A wired page shall lose its content; nothing was changed.</exception>
    public static AdviceResult Advise(VmspaceConsumer consumer, ReadOnlySpan<GpaRange> ranges, Advice advice)
    {
        ulong pages;
        bool isAlive;
        switch (advice)
        {
            case Advice.Cold:
                isAlive = consumer.Space.TryCool(ranges, out pages);
                break;
            case Advice.Discard:
                isAlive = consumer.Space.TryDiscard(ranges, out pages);
                break;
            default:
                return BringIn(consumer, ranges, all: advice == Advice.Populate);
        }
        return new AdviceResult(isAlive ? FaultStatus.Resolved : FaultStatus.Destroyed, pages, default);
    }

    /// <summary>Faults in what is not there: what a pager has stored, or all.</summary>
    private static AdviceResult BringIn(VmspaceConsumer consumer, ReadOnlySpan<GpaRange> ranges, bool all)
    {
        ulong* gpa = stackalloc ulong[LanesMax];
        Prot* access = stackalloc Prot[LanesMax];
        ulong* hpa = stackalloc ulong[LanesMax];
        FaultStatus* status = stackalloc FaultStatus[LanesMax];
        var lanes = new Lanes { Gpa = gpa, Access = access };
        var first = FaultStatus.Resolved;
        ulong failedAt = 0;
        ulong pages = 0;
        int range = 0;
        ulong at = ranges.IsEmpty ? 0 : ranges[0].Start.Value;
        while (range < ranges.Length)
        {
            if (!consumer.TryEnter()) return new AdviceResult(FaultStatus.Destroyed, pages, new Gpa(at));
            lanes.Count = 0;
            Collect(consumer, ranges, ref range, ref at, all, ref lanes);
            consumer.Exit();
            int count = lanes.Count;
            if (count == 0) continue;
            consumer.Prefaults = all;
            try
            {
                pages += (ulong)FaultPipeline.Resolve(consumer, new FaultBatch(new ReadOnlySpan<ulong>(gpa, count),
                    new ReadOnlySpan<Prot>(access, count), new Span<ulong>(hpa, count),
                    new Span<FaultStatus>(status, count)));
            }
            finally
            {
                // Also when a pager throws: the next call of this walker may be another thing.
                consumer.Prefaults = false;
            }
            for (int i = 0; i < count; i++)
            {
                // A map that changes meanwhile is not the advice's business.
                if (status[i] is <= FaultStatus.Emulated or FaultStatus.NoMapping or FaultStatus.Protection) continue;
                if (first == FaultStatus.Resolved)
                {
                    first = status[i];
                    failedAt = gpa[i];
                }
                if (status[i] is not (FaultStatus.OutOfMemory or FaultStatus.Destroyed)) continue;
                return new AdviceResult(status[i], pages, new Gpa(gpa[i]));
            }
        }
        return new AdviceResult(first, pages, new Gpa(failedAt));
    }

    /// <summary>Collects pages to fault, up to a full batch or a long enough stay. Inside the slot.</summary>
    private static void Collect(VmspaceConsumer consumer, ReadOnlySpan<GpaRange> ranges, ref int range, ref ulong at,
        bool all, ref Lanes lanes)
    {
        Vmspace space = consumer.Space;
        int looks = LooksMax;
        while (range < ranges.Length)
        {
            ulong end = ranges[range].Start.Value + ranges[range].Length;
            while (space.TryNextPiece(ref at, end, out MapEntry piece, out VmObject? memory))
            {
                if (piece.Prot == Prot.None) continue;
                ulong stopped = all
                    ? CollectAbsent(space.Pmap, in piece, memory!, ref lanes, ref looks)
                    : CollectStored(in piece, memory!, ref lanes, ref looks);
                if (stopped == piece.End) continue;
                at = stopped;
                return;
            }
            if (++range < ranges.Length) at = ranges[range].Start.Value;
        }
    }

    /// <summary>Pages that their pager has stored; returns where it stopped.</summary>
    private static ulong CollectStored(in MapEntry piece, VmObject memory, ref Lanes lanes, ref int looks)
    {
        ulong end = piece.PageAt(piece.End);
        ulong page = piece.Page;
        for (; page < end && memory.TryFindTouched(page, out page) && page < end; page++)
        {
            if (lanes.Count == LanesMax || looks-- == 0) return piece.Start + ((page - piece.Page) << Paging.PageShift);
            if (PageWord.StateOf(Shared.Load(memory.FindWord(page))) != PageState.Swapped) continue;
            lanes.Add(piece.Start + ((page - piece.Page) << Paging.PageShift), Reading(piece.Prot));
        }
        return piece.End;
    }

    /// <summary>Pages that no table maps; returns where it stopped.</summary>
    private static ulong CollectAbsent(Pmap pmap, in MapEntry piece, VmObject memory, ref Lanes lanes, ref int looks)
    {
        ulong gpa = piece.Start;
        while (gpa < piece.End)
        {
            if (lanes.Count == LanesMax || looks-- == 0) return gpa;
            if (pmap.Lookup(gpa, out int level) != 0)
            {
                gpa = (gpa | ((1UL << Paging.LevelShift(level)) - 1)) + 1;
                continue;
            }
            // What is zero is entered as written, so that a write does not fault either; what was stored stays clean.
            ulong* word = memory.FindWord(piece.PageAt(gpa));
            PageState state = word == null ? PageState.Absent : PageWord.StateOf(Shared.Load(word));
            bool isZero = state == PageState.Zero || (state == PageState.Absent && memory.IsAbsentZero);
            lanes.Add(gpa, isZero ? piece.Prot : Reading(piece.Prot));
            gpa += Paging.PageBytes;
        }
        return piece.End;
    }

    /// <summary>The accesses that change nothing.</summary>
    private static Prot Reading(Prot prot) => (prot & Prot.Read) != 0 ? Prot.Read : prot;

    private struct Lanes
    {
        public ulong* Gpa;
        public Prot* Access;
        public int Count;

        public void Add(ulong gpa, Prot access)
        {
            Gpa[Count] = gpa;
            Access[Count++] = access;
        }
    }
}
