using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.PageTables;

public sealed unsafe partial class Pmap
{
    /// <summary>
    /// Maps a contiguous run of 4 KiB pages to a contiguous run of frames. Inside a consumer slot; takes each window's
    /// lock in turn. Each page is treated as <see cref="Enter"/> says.
    /// </summary>
    /// <param name="gpa">Page-aligned start; the run ends below <see cref="GpaLimit"/>.</param>
    /// <param name="hpa">Page-aligned start.</param>
    /// <param name="pages">Length of the run.</param>
    /// <param name="request">Rights, the access that was made, kind.</param>
    /// <param name="frames">Gives frames for missing tables.</param>
    /// <param name="sink">Is told what existing mappings lost.</param>
    /// <param name="entered">Pages that are mapped as asked for, from the start.</param>
    /// <returns>Ok, or why the page behind those could not be entered: NoFrame, Occupied, Denied.</returns>
    public PmapStatus EnterRun<TSink>(ulong gpa, ulong hpa, ulong pages, in LeafRequest request, FrameCache frames,
        ref TSink sink, out ulong entered)
        where TSink : struct, IRemovalSink, allows ref struct
    {
        Invariant.Require(gpa <= _limit);
        Invariant.Require(pages <= (_limit - gpa) >> Paging.PageShift);
        entered = 0;
        while (entered < pages)
        {
            ulong at = gpa + (entered << Paging.PageShift);
            ulong inWindow = (NextBoundary(at, 2) - at) >> Paging.PageShift;
            int count = (int)ulong.Min(inWindow, pages - entered);
            PmapStatus status = LockWindow(at, frames, out WindowLock window);
            if (status != PmapStatus.Ok) return status;
            status = EnterRun(ref window, at, hpa + (entered << Paging.PageShift), count, in request, frames, ref sink,
                out int done);
            Unlock(in window);
            entered += (ulong)done;
            if (status != PmapStatus.Ok) return status;
        }
        return PmapStatus.Ok;
    }

    /// <summary>Maps a contiguous run inside one window, under its lock.</summary>
    /// <param name="window">The window's lock. A demoted 1 GiB leaf moves it.</param>
    /// <param name="gpa">Page-aligned start; the run stays in the window.</param>
    /// <param name="hpa">Page-aligned start.</param>
    /// <param name="pages">Length of the run, at least 1.</param>
    /// <param name="request">Rights, the access that was made, kind.</param>
    /// <param name="frames">Gives frames for missing tables.</param>
    /// <param name="sink">Is told what existing mappings lost.</param>
    /// <param name="entered">Pages that are mapped as asked for, from the start.</param>
    /// <returns>Ok, or why the page behind those could not be entered.</returns>
    public PmapStatus EnterRun<TSink>(ref WindowLock window, ulong gpa, ulong hpa, int pages, in LeafRequest request,
        FrameCache frames, ref TSink sink, out int entered)
        where TSink : struct, IRemovalSink, allows ref struct
    {
        Invariant.Assert(window.IsHeld);
        Invariant.Assert(((gpa | hpa) & Paging.PageOffsetMask) == 0);
        Invariant.Assert(!request.Managed || _arena.IsArena(hpa + (((ulong)pages - 1) << Paging.PageShift)));
        int first = IndexAt(gpa, 1);
        Invariant.Require(pages > 0);
        Invariant.Require(first + pages <= Paging.EntriesPerTable);
        entered = 0;
        if (!_format.TryLeafBits(in request, 1, out ulong bits)) return PmapStatus.Denied;

        ulong parent = Shared.Load(window.Entry);
        if ((parent & _format.Valid) == 0)
        {
            PmapStatus status = EnterFirstRun(in window, first, hpa | bits, pages, frames);
            if (status == PmapStatus.Ok) entered = pages;
            return status;
        }
        while ((parent & _format.PageSize) != 0)
        {
            ulong offset = (ulong)entered << Paging.PageShift;
            PmapStatus status = Enter(ref window, gpa + offset, hpa + offset, in request, frames, ref sink);
            if (status > PmapStatus.Unchanged) return status;
            if (++entered == pages) return PmapStatus.Ok;
            parent = Shared.Load(window.Entry);
        }
        return EnterIntoTable(TablePfn(parent), gpa, hpa | bits, pages, in request, ref sink, ref entered);
    }

    private PmapStatus EnterFirstRun(in WindowLock window, int first, ulong leaf, int pages, FrameCache frames)
    {
        Invariant.Require(window.Level == 2);
        if (!TryMakeTable(frames, window.TablePfn, 1, out uint pfn)) return PmapStatus.NoFrame;
        PteVector.FillRun(TableAt(pfn) + first, pages, leaf, Paging.PageBytes);
        AddLeafEntries(pfn, pages);
        LinkLocked(window.Entry, window.TablePfn, pfn);
        if ((leaf & PteFormat.Wired) == 0) return PmapStatus.Ok;
        for (int i = 0; i < pages; i++) CountWired(leaf + ((ulong)i << Paging.PageShift), 1);
        return PmapStatus.Ok;
    }

    private PmapStatus EnterIntoTable<TSink>(uint tablePfn, ulong gpa, ulong leaf, int pages, in LeafRequest request,
        ref TSink sink, ref int entered)
        where TSink : struct, IRemovalSink, allows ref struct
    {
        ulong* pte = TableAt(tablePfn) + IndexAt(gpa, 1);
        PmapStatus status = PmapStatus.Ok;
        int fresh = 0;
        int i = entered;
        for (; i < pages; i++)
        {
            ulong offset = (ulong)i << Paging.PageShift;
            if (Shared.Load(pte + i) == 0)
            {
                Shared.Store(pte + i, leaf + offset);
                if (request.Wired) CountWired(leaf + offset, 1);
                fresh++;
                continue;
            }
            status = Replace(pte + i, gpa + offset, 1, leaf + offset, request.Prot, ref sink);
            if (status > PmapStatus.Unchanged) break;
            status = PmapStatus.Ok;
        }
        entered = i;
        if (fresh != 0) AddLeafEntries(tablePfn, fresh);
        return status;
    }
}
