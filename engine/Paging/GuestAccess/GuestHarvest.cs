using System;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Physical;
using Pagoda.Tlb;

namespace Pagoda.GuestAccess;

/// <summary>Which pages were written.</summary>
[AllocationFree]
public static unsafe class GuestHarvest
{
    /// <summary>Reports the pages of a range that were written since the last harvest, and starts anew.</summary>
    /// <remarks>
    /// Written by the guest, or by the host through a hold or a copy. When it returns every consumer has let go of
    /// translations under which it would write without a new mark, so the report is complete: what is written from then
    /// on is in the next one. A page may be reported that was not written; none is left out. The mark that a hold or a
    /// removed mapping leaves belongs to the frame: of several guests that share a page, the first to harvest gets it.
    /// </remarks>
    /// <param name="consumer">The caller's, outside its slot and every other one of the guest.</param>
    /// <param name="gpa">Page aligned.</param>
    /// <param name="length">Bytes, whole pages, below the end of the guest's address space.</param>
    /// <param name="bitmap">Bit i, from the lowest of the first word on, is set if page i was written, and is left as
    /// it
    /// is if not. Room for all pages.</param>
    /// <param name="count">Pages found.</param>
    /// <returns>False: the guest is being destroyed.</returns>
    public static bool TryHarvestModified(VmspaceConsumer consumer, ulong gpa, ulong length, Span<ulong> bitmap,
        out ulong count)
    {
        Vmspace space = consumer.Space;
        Invariant.Require(((gpa | length) & Paging.PageOffsetMask) == 0);
        Invariant.Require((length >> Paging.PageShift) <= (ulong)bitmap.Length * 64);
        count = 0;
        if (!consumer.TryEnter()) return false;
        var gather = new ShootdownGather(space.Consumers, space.Limbo);
        fixed (ulong* words = bitmap)
        {
            count = space.Pmap.HarvestModified(gpa, length, words, clear: true, consumer.Frames, ref gather);
            if (space.MayHaveUnmappedMarks) count += HarvestObjects(space, gpa, gpa + length, words, take: true);
        }
        consumer.Exit();
        if (Planted.Is(PlantedFault.HarvestWithoutWait)) gather.Commit();
        else gather.CommitAndWait();
        if (space.Pmap.Format.EmulatesAd && !Planted.Is(PlantedFault.HarvestLooksOnce))
            count += LookAgain(consumer, gpa, gpa + length, bitmap);
        if (Planted.Is(PlantedFault.HarvestTakesMarksLast)) TakeAgain(consumer, gpa, length, bitmap, ref gather);
        return true;
    }

    private static void TakeAgain(VmspaceConsumer consumer, ulong gpa, ulong length, Span<ulong> bitmap,
        ref ShootdownGather gather)
    {
        if (!consumer.TryEnter()) return;
        fixed (ulong* words = bitmap)
        {
            consumer.Space.Pmap.HarvestModified(gpa, length, words, clear: true, consumer.Frames, ref gather);
        }
        consumer.Exit();
    }

    /// <summary>
    /// A sweep that had cleared an emulated M, and not yet marked the frame, when we looked has marked it by now: it
    /// was in its slot. The mark stays, for the next harvest too.
    /// </summary>
    private static ulong LookAgain(VmspaceConsumer consumer, ulong start, ulong end, Span<ulong> bitmap)
    {
        if (!consumer.TryEnter()) return 0;
        ulong count;
        fixed (ulong* words = bitmap) count = HarvestObjects(consumer.Space, start, end, words, take: false);
        consumer.Exit();
        return count;
    }

    /// <summary>
    /// Marks that are on frames alone, or on words: of resident pages that no table maps at the moment, and of pages
    /// whose M was moved.
    /// </summary>
    private static ulong HarvestObjects(Vmspace space, ulong start, ulong end, ulong* words, bool take)
    {
        ulong at = start;
        ulong count = 0;
        while (at < end && space.Map.TryFindFrom(at, out MapEntry entry, out VmObject? memory, out _))
        {
            if (entry.Start >= end) break;
            ulong stop = ulong.Min(end, entry.End);
            at = ulong.Max(at, entry.Start);
            if (entry.Kind == MapKind.Memory)
                count += HarvestObject(space, memory!, in entry, at, stop, start, words, take);
            at = stop;
        }
        return count;
    }

    private static ulong HarvestObject(Vmspace space, VmObject memory, in MapEntry entry, ulong from, ulong end,
        ulong start, ulong* words, bool take)
    {
        ulong page = entry.PageAt(from);
        ulong behind = entry.PageAt(end);
        ulong count = 0;
        while (page < behind && memory.TryFindTouched(page, out page) && page < behind)
        {
            ulong gpa = entry.Start + ((page - entry.Page) << Paging.PageShift);
            ulong bit = (gpa - start) >> Paging.PageShift;
            ulong mask = 1UL << (int)(bit & 63);
            bool isNew = take || (words[bit >> 6] & mask) == 0;
            if (isNew && FindWritten(space.Arena.Frames, memory.FindWord(page), take))
            {
                words[bit >> 6] |= mask;
                count++;
            }
            page++;
        }
        return count;
    }

    /// <summary>Takes the mark of a page from its frame, or from its word while it has none, or only looks.</summary>
    private static bool FindWritten(FrameTable frames, ulong* word, bool take)
    {
        while (true)
        {
            ulong seen = Shared.Load(word);
            uint pfn = (uint)(PageWord.HpaOf(seen) >> Paging.PageShift);
            PageState state = PageWord.StateOf(seen);
            // Who takes this frame away waits for the caller to leave its slot.
            if (state == PageState.Resident && take) return frames.TakeWritten(pfn);
            if (state is PageState.Resident or PageState.Evicting or PageState.Laundering)
            {
                // The owner may have done its waiting, so the frame may be another page's by now: only look. The mark
                // is reported once more when the page has come to rest.
                bool written = frames.IsWritten(pfn);
                if (Shared.Load(word) == seen) return written;
                continue;
            }
            if ((seen & PageWord.Written) == 0) return false;
            if (!take) return true;
            if (Shared.CompareExchange(word, seen & ~PageWord.Written, seen) == seen) return true;
        }
    }
}
