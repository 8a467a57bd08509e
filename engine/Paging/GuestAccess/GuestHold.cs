using System;
using System.Runtime.CompilerServices;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Diagnostics;
using Pagoda.Faults;
using Pagoda.Physical;

namespace Pagoda.GuestAccess;

/// <summary>Holding guest memory: host pointers that stay valid until they are released.</summary>
/// <remarks>
/// A hold is about frames, not about the map: the guest may unmap the range or be destroyed meanwhile, the bytes stay
/// where they are. Taking one needs no lock: inside the consumer's slot, walk, then add to the frame's count. No second
/// walk: who takes a page away looks at the count after every consumer has left the slots it was in. A write hold marks
/// its pages written at once, so that they are seen as such while they are held, and again at the release, before the
/// count goes down: a tracker may have cleared the mark in between.
/// </remarks>
[AllocationFree]
public static unsafe class GuestHold
{
    private static bool MarksWhenTaken
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => !Planted.Is(PlantedFault.HoldNeverMarks) && !Planted.Is(PlantedFault.HoldMarksAfterRelease);
    }

    private static bool MarksWhenReleased
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => MarksWhenTaken && !Planted.Is(PlantedFault.ReleaseDoesNotMark);
    }

    /// <summary>Holds a range; what is absent is faulted in. All of it is held, or nothing.</summary>
    /// <param name="consumer">The caller's, outside its slot.</param>
    /// <param name="gpa">The first byte.</param>
    /// <param name="length">Bytes, not 0; the range may cross pages.</param>
    /// <param name="access">What the host will do with it.</param>
    /// <param name="spans">Receives the spans in order; room for as many as the range has pages.</param>
    /// <param name="count">How many spans there are: frames that follow one another share one.</param>
    /// <returns>Resolved, or why not. Device ranges hold no memory: NoMapping.</returns>
    public static FaultStatus Hold(VmspaceConsumer consumer, ulong gpa, ulong length, Prot access,
        Span<GuestSpan> spans, out int count)
    {
        Invariant.Require(length != 0);
        Invariant.Require((ulong)spans.Length >= PagesOf(gpa, length));
        count = 0;
        if (gpa + length < gpa) return FaultStatus.NoMapping;
        ulong* missing = stackalloc ulong[MissingPages.Max];
        ulong end = gpa + length;
        ulong at = gpa;
        while (at < end)
        {
            FaultStatus status = HoldPresent(consumer, ref at, end, access, spans, ref count, missing, out int absent);
            if (status == FaultStatus.Resolved && absent != 0)
            {
                status = FaultIn(consumer, missing, absent, access, spans, ref count);
            }
            if (status == FaultStatus.Resolved) continue;
            // Nothing was written through these pointers, but the marks that a write hold leaves stay: they only say
            // more than is true.
            Release(consumer, spans[..count]);
            count = 0;
            return status;
        }
        return FaultStatus.Resolved;
    }

    /// <summary>Releases spans. Works after the guest was destroyed too; the arena must still live.</summary>
    /// <param name="consumer">The caller's; its slot is not used.</param>
    /// <param name="spans">Spans of earlier holds, each once.</param>
    public static void Release(VmspaceConsumer consumer, ReadOnlySpan<GuestSpan> spans)
    {
        ulong pages = 0;
        foreach (ref readonly GuestSpan span in spans) pages += Release(consumer.Space.Arena, in span);
        consumer.Counters.AddIfAny(Counter.Releases, pages);
    }

    /// <summary>Releases one span without a consumer; returns its pages, which the caller counts.</summary>
    internal static ulong Release(Arena arena, in GuestSpan span)
    {
        ulong hpa = (ulong)(span.Pointer - arena.Base);
        Invariant.Require(hpa + span.Length <= arena.Bytes);
        ulong pages = PagesOf(hpa, span.Length);
        uint first = (uint)(hpa >> Paging.PageShift);
        for (uint pfn = first; pfn < first + pages; pfn++) ReleaseFrame(arena, pfn, span.Access);
        return pages;
    }

    /// <summary>Takes one hold from a frame.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void ReleaseFrame(Arena arena, uint pfn, Prot access)
    {
        FrameTable frames = arena.Frames;
        bool isWrite = (access & Prot.Write) != 0;
        if (isWrite && MarksWhenReleased) GuestMarks.Written(frames, pfn);
        // The last hold of a frame whose page is gone: nobody else knows it any more.
        if (frames.ReleaseHold(pfn)) arena.Allocator.Give(pfn, 0);
        if (isWrite && Planted.Is(PlantedFault.HoldMarksAfterRelease)) GuestMarks.Written(frames, pfn);
    }

    /// <summary>The pages that a range of bytes touches.</summary>
    internal static ulong PagesOf(ulong address, ulong length) =>
        ((address + length - 1) >> Paging.PageShift) - (address >> Paging.PageShift) + 1;

    /// <summary>Faults pages in. When a pager throws nothing stays held.</summary>
    private static FaultStatus FaultIn(VmspaceConsumer consumer, ulong* missing, int absent, Prot access,
        Span<GuestSpan> spans, ref int count)
    {
        bool returned = false;
        try
        {
            FaultStatus status = MissingPages.Fault(consumer, missing, absent, access);
            returned = true;
            return status;
        }
        finally
        {
            if (!returned)
            {
                Release(consumer, spans[..count]);
                count = 0;
            }
        }
    }

    /// <summary>Holds what is mapped from an address on, up to the first page that is not.</summary>
    private static FaultStatus HoldPresent(VmspaceConsumer consumer, ref ulong at, ulong end, Prot access,
        Span<GuestSpan> spans, ref int count, ulong* missing, out int absent)
    {
        Vmspace space = consumer.Space;
        FaultStatus status = FaultStatus.Resolved;
        ulong held = 0;
        absent = 0;
        ulong early = 0;
        if (Planted.Is(PlantedFault.WalksBeforeEntry)) space.Pmap.TryExtract(at, access, out early);
        if (!Planted.Is(PlantedFault.HoldOutsideSlot) && !consumer.TryEnter()) return FaultStatus.Destroyed;
        while (at < end)
        {
            ulong hpa;
            if (Planted.Is(PlantedFault.WalksBeforeEntry) && early != 0)
            {
                hpa = early;
            }
            else if (!space.Pmap.TryExtract(at, access, out hpa))
            {
                absent = MissingPages.Collect(consumer, at, end, access, missing);
                break;
            }
            if (!space.Arena.IsArena(hpa))
            {
                status = FaultStatus.NoMapping;
                break;
            }
            uint pfn = (uint)(hpa >> Paging.PageShift);
            if (Planted.Is(PlantedFault.WalkerAcknowledgesMidway)) consumer.Acknowledge();
            if (Planted.Is(PlantedFault.HoldLeavesBeforeItCounts)) consumer.Exit();
            space.Arena.Frames.AddHold(pfn);
            if ((access & Prot.Write) != 0 && MarksWhenTaken) GuestMarks.Written(space.Arena.Frames, pfn);
            early = 0;
            ulong bytes = ulong.Min(end - at, Paging.PageBytes - (at & Paging.PageOffsetMask));
            Append(spans, ref count, space.Arena.Base + hpa, bytes, access);
            at += bytes;
            held++;
        }
        consumer.Exit();
        consumer.Counters.AddIfAny(Counter.Holds, held);
        return status;
    }

    private static void Append(Span<GuestSpan> spans, ref int count, byte* pointer, ulong bytes, Prot access)
    {
        if (count != 0 && spans[count - 1].Pointer + spans[count - 1].Length == pointer)
        {
            spans[count - 1] = new GuestSpan(spans[count - 1].Pointer, spans[count - 1].Length + bytes, access);
            return;
        }
        spans[count++] = new GuestSpan(pointer, bytes, access);
    }
}
