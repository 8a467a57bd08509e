using System;
using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.AddressSpace;

/// <summary>Dropping the content of pages that stay mapped.</summary>
/// <remarks>
/// In two passes, with the shootdown between them: the first claims every page, so that faults wait for it, and the
/// second frees it. Whoever runs them holds the change lock of every space that shows the pages, so no two do at once
/// and no eviction ends meanwhile.
/// </remarks>
public sealed unsafe partial class VmObject
{
    /// <summary>A page without content, which is news to whoever harvests writes.</summary>
    private const ulong Dropped = (ulong)PageState.Absent | PageWord.Written;

    /// <summary>
    /// Claims the pages of a run that lie in frames; those that are elsewhere lose their content here.
    /// </summary>
    /// <param name="first">The first page.</param>
    /// <param name="count">How many.</param>
    /// <param name="dropped">Pages that had content are added.</param>
    /// <returns>Some lie in frames: they are Busy, and ours.</returns>
    [AllocationFree]
    internal bool ClaimForDiscard(ulong first, ulong count, ref ulong dropped)
    {
        ulong end = first + count;
        bool any = false;
        for (ulong page = first; page < end && TryFindTouched(page, out page) && page < end; page++)
        {
            any |= ClaimForDiscard(FindWord(page), page, ref dropped);
        }
        return any;
    }

    /// <summary>Puts the claimed pages of a run back: their content stays.</summary>
    [AllocationFree]
    internal void KeepClaimed(ulong first, ulong count)
    {
        ulong end = first + count;
        for (ulong page = first; page < end && TryFindTouched(page, out page) && page < end; page++)
        {
            ulong* word = FindWord(page);
            ulong seen = Shared.Load(word);
            if (IsClaimedForDiscard(seen)) PageWord.Publish(word, PageWord.Unclaimed(seen));
        }
    }

    /// <summary>Frees the claimed pages of a run.</summary>
    /// <param name="first">The first page.</param>
    /// <param name="count">How many.</param>
    /// <param name="tells">The pager is told, whoever it is; else one of the engine's own alone.</param>
    [AllocationFree]
    internal void EndDiscard(ulong first, ulong count, bool tells)
    {
        ulong end = first + count;
        ulong next = first;
        try
        {
            EndDiscard(ref next, end, !IsZeroFill && (tells || IsAbsentZero));
        }
        finally
        {
            // From the page on at which the pager threw: none stays claimed.
            EndDiscard(ref next, end, tells: false);
            ReleaseWholeRuns(first, end);
        }
    }

    /// <summary>Frees claimed pages from <paramref name="next"/> on, which moves along.</summary>
    [AllocationFree]
    private void EndDiscard(ref ulong next, ulong end, bool tells)
    {
        uint* free = stackalloc uint[FrameAllocator.BatchMax];
        int frees = 0;
        try
        {
            for (; next < end && TryFindTouched(next, out ulong page) && page < end; next = page + 1)
            {
                ulong* word = FindWord(page);
                ulong seen = Shared.Load(word);
                if (!IsClaimedForDiscard(seen)) continue;
                uint pfn = (uint)(PageWord.HpaOf(seen) >> Paging.PageShift);
                if (tells) Pager.Discard(new ReadOnlySpan<ulong>(in page));
                PageWord.Publish(word, Dropped);
                // A frame that somebody holds outlives its page: the release that is the last frees it.
                if (!_frames.Orphan(pfn)) continue;
                free[frees++] = pfn;
                if (frees < FrameAllocator.BatchMax) continue;
                Arena.Allocator.GiveBatch(free, frees);
                frees = 0;
            }
            next = end;
        }
        finally
        {
            if (frees != 0) Arena.Allocator.GiveBatch(free, frees);
        }
    }

    /// <summary>The first page of a run whose frame is wired, by whatever shows it.</summary>
    [AllocationFree]
    internal bool TryFindWired(ulong first, ulong count, out ulong wired)
    {
        ulong end = first + count;
        for (wired = first; wired < end && TryFindTouched(wired, out wired) && wired < end; wired++)
        {
            ulong seen = Shared.Load(FindWord(wired));
            bool isInFrame = PageWord.StateOf(seen) is PageState.Resident or PageState.Evicting or PageState.Laundering;
            if (isInFrame && _frames.WireCount((uint)(PageWord.HpaOf(seen) >> Paging.PageShift)) != 0) return true;
        }
        return false;
    }

    /// <summary>Only a discard claims a page out of its frame.</summary>
    [AllocationFree]
    private static bool IsClaimedForDiscard(ulong word) =>
        PageWord.StateOf(word) == PageState.Busy && PageWord.BeforeOf(word) == PageState.Resident;

    [AllocationFree]
    private bool ClaimForDiscard(ulong* word, ulong page, ref ulong dropped)
    {
        while (true)
        {
            ulong seen = Shared.Load(word);
            PageState state = PageWord.StateOf(seen);
            if (state is PageState.Absent or PageState.Zero) return false;
            // The ranges of a batch may overlap.
            if (IsClaimedForDiscard(seen)) return true;
            if (state is PageState.Busy or PageState.Evicting or PageState.Laundering)
            {
                // Its owner waits for nothing of ours, and publishes it soon.
                if (PageWord.TryMark(word, seen, PageWord.Wait)) PageWord.Sleep(word, seen);
                continue;
            }
            bool isLost = state == PageState.Poisoned;
            if (!PageWord.TryMove(word, seen, isLost ? Dropped : PageWord.Claimed(seen))) continue;
            dropped++;
            if (state == PageState.Resident) return true;
            try
            {
                if (!IsZeroFill) Pager.Discard(new ReadOnlySpan<ulong>(in page));
            }
            finally
            {
                if (!isLost) PageWord.Publish(word, Dropped);
            }
            return false;
        }
    }
}
