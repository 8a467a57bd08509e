using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.AddressSpace;

/// <summary>Runs of frames in which the object's pages lie as superpages need them.</summary>
/// <remarks>
/// A run is for 512 pages that a guest shows in one window. Where that is decides the first fault: other guests or
/// places that show the pages at another offset within their windows use the frames, but get no superpages.
/// </remarks>
public sealed unsafe partial class VmObject
{
    /// <summary>The cell of the run for 512 pages.</summary>
    /// <param name="firstPage">The first of them.</param>
    [AllocationFree]
    internal uint* ReservationCell(ulong firstPage) =>
        _runs + ((firstPage + PageWord.WordsPerWindow - 1) >> PageWord.WindowShift);

    /// <summary>None of 512 pages lies in a frame, so that a run for them can become whole.</summary>
    [AllocationFree]
    internal bool HasNoFrames(ulong firstPage)
    {
        for (ulong page = firstPage; page < firstPage + PageWord.WordsPerWindow;)
        {
            ulong next = (page | (PageWord.WordsPerWindow - 1)) + 1;
            ulong end = ulong.Min(next, firstPage + PageWord.WordsPerWindow);
            ulong* word = FindWord(page);
            for (; word != null && page < end; page++, word++)
            {
                PageState state = PageWord.StateOf(Shared.Load(word));
                if (state is PageState.Resident or PageState.Evicting or PageState.Laundering) return false;
            }
            page = end;
        }
        return true;
    }

    /// <summary>Lets go of the runs that are for whole windows of some pages, so that the next touch makes new ones.
    /// </summary>
    [AllocationFree]
    private void ReleaseWholeRuns(ulong first, ulong end)
    {
        if (end - first < PageWord.WordsPerWindow) return;
        uint* last = ReservationCell(end - PageWord.WordsPerWindow);
        for (uint* cell = ReservationCell(first); cell <= last; cell++) Arena.Reservations.Release(cell);
    }

    /// <summary>Lets go of the runs that may be for any of some pages; frames that pages took stay with them.</summary>
    private void ReleaseRuns(ulong first, ulong end)
    {
        ulong from = first - ulong.Min(first, PageWord.WordsPerWindow - 1);
        uint* last = ReservationCell(end - 1);
        for (uint* cell = ReservationCell(from); cell <= last; cell++) Arena.Reservations.Release(cell);
    }
}
