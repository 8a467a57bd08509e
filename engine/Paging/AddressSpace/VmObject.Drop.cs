using System;
using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.AddressSpace;

/// <summary>Freeing pages.</summary>
public sealed unsafe partial class VmObject
{
    /// <summary>Forgets a run of pages: their frames are freed, at once or when their last hold ends.</summary>
    /// <remarks>
    /// No translation to these pages exists any more and none can be made: their map entries are gone, removed from
    /// every table, and every consumer has let them go. A page in the hands of a fault is waited for; the caller is in
    /// no consumer slot and holds no window lock.
    /// </remarks>
    internal void Drop(ulong first, ulong count)
    {
        ulong end = first + count;
        Invariant.Require(end <= LengthPages);
        uint* free = stackalloc uint[FrameAllocator.BatchMax];
        int frees = 0;
        ulong page = first;
        while (page < end && TryFindTouched(page, out page) && page < end)
        {
            uint pfn = TakeAway(FindWord(page), page);
            page++;
            // A frame that somebody holds outlives its page: the release that is the last frees it.
            if (pfn == 0 || !_frames.Orphan(pfn)) continue;
            free[frees++] = pfn;
            if (frees < FrameAllocator.BatchMax) continue;
            Arena.Allocator.GiveBatch(free, frees);
            frees = 0;
        }
        if (frees != 0) Arena.Allocator.GiveBatch(free, frees);
        if (count != 0) ReleaseRuns(first, end);
    }

    /// <summary>Makes a page Absent, and says which frame it was in; 0 for none.</summary>
    private uint TakeAway(ulong* word, ulong page)
    {
        while (true)
        {
            ulong seen = Shared.Load(word);
            PageState state = PageWord.StateOf(seen);
            if (state == PageState.Absent) return 0;
            if (state is PageState.Busy or PageState.Evicting or PageState.Laundering)
            {
                // Its owner publishes it soon: a fault finds that the map has changed, and does not map it.
                if (PageWord.TryMark(word, seen, PageWord.Wait)) PageWord.Sleep(word, seen);
                continue;
            }
            if (!PageWord.TryMove(word, seen, (ulong)PageState.Absent)) continue;
            // Resident too: the pager keeps what it stored for as long as the page may be clean.
            if (!IsZeroFill) Pager.Discard(new ReadOnlySpan<ulong>(in page));
            return state == PageState.Resident ? (uint)(PageWord.HpaOf(seen) >> Paging.PageShift) : 0;
        }
    }
}
