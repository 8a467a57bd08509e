using System;
using System.Numerics;
using System.Runtime.Intrinsics.X86;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Diagnostics;
using Pagoda.Faults;
using Pagoda.PageTables;
using Pagoda.Physical;

namespace Pagoda.GuestAccess;

/// <summary>Holding many single pages: columns of addresses in, columns of pointers out.</summary>
/// <remarks>The rules are those of <see cref="GuestHold"/>. Lanes stand alone: each is held or says why not.</remarks>
[AllocationFree]
public static unsafe class GuestHoldBatch
{
    /// <summary>Holds the page of every lane; what is absent is faulted in, as one batch.</summary>
    /// <param name="consumer">The caller's, outside its slot.</param>
    /// <param name="gpa">The addresses.</param>
    /// <param name="access">What the host will do.</param>
    /// <param name="pointer">Receives the byte's address, good to the end of its page; 0 where it is not held.</param>
    /// <param name="status">Receives Resolved, or why not. Device ranges hold no memory: NoMapping.</param>
    /// <returns>Lanes held.</returns>
    public static int Hold(VmspaceConsumer consumer, ReadOnlySpan<ulong> gpa, Prot access, Span<nint> pointer,
        Span<FaultStatus> status)
    {
        Invariant.Require(gpa.Length == pointer.Length);
        Invariant.Require(gpa.Length == status.Length);
        int held = 0;
        int first = 0;
        bool returned = false;
        try
        {
            for (; first < gpa.Length; first += MissingPages.Max)
            {
                int count = int.Min(gpa.Length - first, MissingPages.Max);
                held += HoldSome(consumer, gpa.Slice(first, count), access, pointer.Slice(first, count),
                    status.Slice(first, count));
            }
            returned = true;
        }
        finally
        {
            // A pager threw: the caller does not hear what is held. Lanes that are not held have no pointer.
            if (!returned) LetGo(consumer, pointer[..int.Min(pointer.Length, first + MissingPages.Max)], access);
        }
        consumer.Counters.AddIfAny(Counter.Holds, (ulong)held);
        return held;
    }

    /// <summary>Releases the page of every lane; lanes of 0 are skipped.</summary>
    /// <param name="consumer">The caller's; its slot is not used.</param>
    /// <param name="pointer">Pointers of earlier holds, each once.</param>
    /// <param name="access">What they were held for.</param>
    public static void Release(VmspaceConsumer consumer, ReadOnlySpan<nint> pointer, Prot access) =>
        consumer.Counters.AddIfAny(Counter.Releases, Release(consumer.Space.Arena, pointer, access));

    /// <summary>Releases without a consumer; returns the pages, which the caller counts.</summary>
    internal static ulong Release(Arena arena, ReadOnlySpan<nint> pointer, Prot access)
    {
        ulong released = 0;
        foreach (nint address in pointer)
        {
            if (address == 0) continue;
            ulong hpa = (ulong)((byte*)address - arena.Base);
            Invariant.Require(hpa < arena.Bytes);
            GuestHold.ReleaseFrame(arena, (uint)(hpa >> Paging.PageShift), access);
            released++;
        }
        return released;
    }

    private static void LetGo(VmspaceConsumer consumer, Span<nint> pointer, Prot access)
    {
        Release(consumer.Space.Arena, pointer, access);
        pointer.Clear();
    }

    private static int HoldSome(VmspaceConsumer consumer, ReadOnlySpan<ulong> gpa, Prot access, Span<nint> pointer,
        Span<FaultStatus> status)
    {
        ulong* missing = stackalloc ulong[MissingPages.Max];
        ulong pending = ulong.MaxValue >> (MissingPages.Max - gpa.Length);
        int held = 0;
        while (pending != 0)
        {
            if (!consumer.TryEnter())
            {
                End(pending, FaultStatus.Destroyed, pointer, status);
                return held;
            }
            ulong absent = HoldPresent(consumer, gpa, access, pointer, status, pending, ref held);
            consumer.Exit();
            if (absent == 0) return held;

            int count = 0;
            for (ulong set = absent; set != 0; set &= set - 1)
            {
                missing[count++] = gpa[BitOperations.TrailingZeroCount(set)];
            }
            pending = FaultIn(consumer, absent, missing, count, access, pointer, status);
        }
        return held;
    }

    /// <summary>Holds the lanes that are mapped; returns those that are not.</summary>
    private static ulong HoldPresent(VmspaceConsumer consumer, ReadOnlySpan<ulong> gpa, Prot access,
        Span<nint> pointer, Span<FaultStatus> status, ulong pending, ref int held)
    {
        Arena arena = consumer.Space.Arena;
        Pmap pmap = consumer.Space.Pmap;
        FrameRecord* records = arena.Frames.Records;
        ulong absent = 0;
        // First pass: walk, and ask for the frame's record. The second finds it in the cache.
        for (ulong set = pending; set != 0; set &= set - 1)
        {
            int lane = BitOperations.TrailingZeroCount(set);
            status[lane] = FaultStatus.Resolved;
            pointer[lane] = 0;
            if (!pmap.TryExtract(gpa[lane], access, out ulong hpa))
            {
                absent |= 1UL << lane;
            }
            else if (!arena.IsArena(hpa))
            {
                status[lane] = FaultStatus.NoMapping;
            }
            else
            {
                pointer[lane] = (nint)(arena.Base + hpa);
                if (Sse.IsSupported) Sse.Prefetch0(records + (hpa >> Paging.PageShift));
            }
        }
        for (ulong set = pending; set != 0; set &= set - 1)
        {
            int lane = BitOperations.TrailingZeroCount(set);
            if (pointer[lane] == 0) continue;
            uint pfn = (uint)((ulong)((byte*)pointer[lane] - arena.Base) >> Paging.PageShift);
            arena.Frames.AddHold(pfn);
            if ((access & Prot.Write) != 0) GuestMarks.Written(arena.Frames, pfn);
            held++;
        }
        return absent;
    }

    /// <summary>Faults lanes in; returns those that may be held now, and ends the others.</summary>
    private static ulong FaultIn(VmspaceConsumer consumer, ulong lanes, ulong* missing, int count, Prot access,
        Span<nint> pointer, Span<FaultStatus> status)
    {
        Prot* accesses = stackalloc Prot[MissingPages.Max];
        ulong* hpas = stackalloc ulong[MissingPages.Max];
        FaultStatus* ends = stackalloc FaultStatus[MissingPages.Max];
        for (int i = 0; i < count; i++) accesses[i] = access;
        FaultPipeline.Resolve(consumer, new FaultBatch(new ReadOnlySpan<ulong>(missing, count),
            new ReadOnlySpan<Prot>(accesses, count), new Span<ulong>(hpas, count), new Span<FaultStatus>(ends, count)));
        ulong allowed = 0;
        int at = 0;
        for (ulong set = lanes; set != 0; set &= set - 1, at++)
        {
            int lane = BitOperations.TrailingZeroCount(set);
            if (ends[at] <= FaultStatus.Emulated) allowed |= 1UL << lane;
            else End(1UL << lane, ends[at], pointer, status);
        }
        return allowed;
    }

    private static void End(ulong set, FaultStatus end, Span<nint> pointer, Span<FaultStatus> status)
    {
        for (; set != 0; set &= set - 1)
        {
            int lane = BitOperations.TrailingZeroCount(set);
            pointer[lane] = 0;
            status[lane] = end;
        }
    }
}
