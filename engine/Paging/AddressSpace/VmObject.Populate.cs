using Pagoda.Core;
using Pagoda.PageTables;
using Pagoda.Physical;

namespace Pagoda.AddressSpace;

/// <summary>Giving a run of pages the frames of a run at once.</summary>
public sealed unsafe partial class VmObject
{
    /// <summary>
    /// None of some pages was ever used, or each was found to be zero: a run of zeroed frames may be theirs. A hint,
    /// as it may change at once.
    /// </summary>
    /// <param name="first">The first page.</param>
    /// <param name="count">How many.</param>
    [AllocationFree]
    internal bool IsAllZero(ulong first, ulong count)
    {
        if (!IsAbsentZero) return false;
        ulong end = first + count;
        for (ulong page = first; page < end && TryFindTouched(page, out page) && page < end;)
        {
            ulong stop = ulong.Min(end, (page | (PageWord.WordsPerWindow - 1)) + 1);
            for (ulong* word = FindWord(page); page < stop; page++, word++)
            {
                if (PageWord.StateOf(Shared.Load(word)) is not (PageState.Absent or PageState.Zero)) return false;
            }
        }
        return true;
    }

    /// <summary>
    /// Makes pages Resident in frames that follow one another, up to the first that is not zero any more. Inside a
    /// consumer slot, under the window lock of the place where they are about to be mapped.
    /// </summary>
    /// <remarks>
    /// The words of a window that has none yet are written before anybody can see them and appear by one
    /// compare-and-swap; others change one by one. No page is claimed for that, as nobody has to wait for it: whoever
    /// takes one of them away again comes for its mapping behind our lock.
    /// </remarks>
    /// <param name="first">The first page.</param>
    /// <param name="count">How many.</param>
    /// <param name="run">The first frame: zero, in state Page, for the first page.</param>
    /// <param name="frames">Gives frames for words.</param>
    /// <returns>Pages that are Resident now, from the first on.</returns>
    [AllocationFree]
    internal ulong Populate(ulong first, ulong count, uint run, FrameCache frames)
    {
        ulong page = first;
        ulong end = first + count;
        while (page < end)
        {
            ulong window = page >> PageWord.WindowShift;
            ulong stop = ulong.Min(end, (window + 1) << PageWord.WindowShift);
            uint pfn = run + (uint)(page - first);
            if (Shared.Load(_windows + window) == 0)
            {
                if (!frames.TryTake(out uint index)) break;
                ulong* words = (ulong*)(_directMap + ((ulong)index << Paging.PageShift));
                PteVector.FillRun(words + (page & (PageWord.WordsPerWindow - 1)), (int)(stop - page),
                    PageWord.Resident((ulong)pfn << Paging.PageShift), Paging.PageBytes);
                if (AddWindow(window, index)) page = stop;
                continue;
            }
            while (page < stop && TryPopulate(page, pfn))
            {
                page++;
                pfn++;
            }
            if (page < stop) break;
        }
        return page - first;
    }

    [AllocationFree]
    private bool TryPopulate(ulong page, uint pfn)
    {
        ulong* word = FindWord(page);
        while (true)
        {
            ulong seen = Shared.Load(word);
            PageState state = PageWord.StateOf(seen);
            if (state is not (PageState.Absent or PageState.Zero)) return false;
            // In front of the word: who owns the page next must find them.
            if ((seen & PageWord.Written) != 0) _frames.SetWritten(pfn);
            if (IsNewsToPager(state)) _frames.RestoreDirty(pfn);
            if (PageWord.TryMove(word, seen, PageWord.Resident((ulong)pfn << Paging.PageShift))) return true;
        }
    }

    /// <summary>
    /// Zero is what a page is, not what its pager would say: before its frame is free the pager has to hear it.
    /// </summary>
    [AllocationFree]
    internal bool IsNewsToPager(PageState before) => before == PageState.Zero && !IsZeroFill;
}
