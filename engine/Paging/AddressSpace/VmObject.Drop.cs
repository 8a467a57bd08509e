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
    /// no consumer slot and holds no window lock. What the pager throws reaches the caller behind the last page.
    /// </remarks>
    internal void Drop(ulong first, ulong count)
    {
        ulong end = first + count;
        Invariant.Require(end <= LengthPages);
        ulong next = first;
        try
        {
            Drop(ref next, end, tells: !IsZeroFill);
        }
        finally
        {
            // The pages behind the one at which the pager threw, which it is not told of.
            Drop(ref next, end, tells: false);
            if (count != 0) ReleaseRuns(first, end);
        }
    }

    /// <summary>Forgets pages from <paramref name="next"/> on, which moves along.</summary>
    private void Drop(ref ulong next, ulong end, bool tells)
    {
        uint* free = stackalloc uint[FrameAllocator.BatchMax];
        int frees = 0;
        try
        {
            while (next < end && TryFindTouched(next, out ulong page) && page < end)
            {
                next = page + 1;
                if (!TryTakeAway(FindWord(page), out uint pfn)) continue;
                // A frame that somebody holds outlives its page: the release that is the last frees it.
                if (pfn != 0 && _frames.Orphan(pfn)) free[frees++] = pfn;
                if (frees == FrameAllocator.BatchMax)
                {
                    Arena.Allocator.GiveBatch(free, frees);
                    frees = 0;
                }
                // Resident too: the pager keeps what it stored for as long as the page may be clean.
                if (tells) Pager.Discard(new ReadOnlySpan<ulong>(in page));
            }
            next = end;
        }
        finally
        {
            if (frees != 0) Arena.Allocator.GiveBatch(free, frees);
        }
    }

    /// <summary>Makes a page Absent, and says which frame it was in, 0 for none. False: it was Absent.</summary>
    private static bool TryTakeAway(ulong* word, out uint pfn)
    {
        pfn = 0;
        while (true)
        {
            ulong seen = Shared.Load(word);
            PageState state = PageWord.StateOf(seen);
            if (state == PageState.Absent) return false;
            if (state is PageState.Busy or PageState.Evicting or PageState.Laundering)
            {
                // Its owner publishes it soon: a fault finds that the map has changed, and does not map it.
                if (PageWord.TryMark(word, seen, PageWord.Wait)) PageWord.Sleep(word, seen);
                continue;
            }
            if (!PageWord.TryMove(word, seen, (ulong)PageState.Absent)) continue;
            if (state == PageState.Resident) pfn = (uint)(PageWord.HpaOf(seen) >> Paging.PageShift);
            return true;
        }
    }
}
