using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.PageTables;

/// <summary>What a range operation does with the leaves it meets, each under its window's lock. A struct.</summary>
[AllocationFree]
internal unsafe interface IRangeOperation
{
    /// <summary>It removes leaves, so that tables may become empty.</summary>
    static abstract bool Removes { get; }

    /// <summary>A superpage that cannot be demoted for want of a frame is removed whole.</summary>
    static abstract bool RemovesWhatItCannotDemote { get; }

    /// <summary>The operation would change a superpage of which it covers a part: demote it first.</summary>
    bool Affects(ulong entry);

    /// <summary>A superpage that the range covers.</summary>
    /// <returns>Anything but Ok ends the range there.</returns>
    PmapStatus Superpage<TSink>(Pmap pmap, in WindowLock window, ulong gpa, FrameCache frames, ref TSink sink)
        where TSink : struct, IRemovalSink, allows ref struct;

    /// <summary>A run of entries of one leaf table; some may be absent.</summary>
    /// <param name="pmap">The pmap.</param>
    /// <param name="table">The leaf table.</param>
    /// <param name="first">The first entry of the run.</param>
    /// <param name="end">The entry behind the last.</param>
    /// <param name="gpa">What the first entry maps.</param>
    /// <param name="sink">Is told what leaves lost.</param>
    /// <param name="removed">How many leaves were removed.</param>
    /// <param name="done">How many entries were treated, if the result is not Ok.</param>
    /// <returns>Anything but Ok ends the range behind those entries.</returns>
    PmapStatus Leaves<TSink>(Pmap pmap, ulong* table, int first, int end, ulong gpa, ref TSink sink, out int removed,
        out int done)
        where TSink : struct, IRemovalSink, allows ref struct;

    /// <summary>A run without mappings.</summary>
    /// <returns>Anything but Ok ends the range there.</returns>
    PmapStatus Hole(ulong gpa, ulong end);

    /// <summary>A part of a superpage that stays: it is not affected, or there is no frame to demote it.</summary>
    /// <param name="pmap">The pmap.</param>
    /// <param name="window">The superpage's lock.</param>
    /// <param name="gpa">The first byte of the part.</param>
    /// <param name="end">The byte behind the last.</param>
    /// <param name="sink">Is told what it lost.</param>
    /// <returns>Anything but Ok ends the range there.</returns>
    PmapStatus Kept<TSink>(Pmap pmap, in WindowLock window, ulong gpa, ulong end, ref TSink sink)
        where TSink : struct, IRemovalSink, allows ref struct;
}

public sealed unsafe partial class Pmap
{
    /// <summary>Runs an operation over a range, window by window in ascending order, one lock at a time.</summary>
    /// <param name="gpa">Page-aligned start.</param>
    /// <param name="length">Bytes, page-aligned. What lies beyond the limit has no mappings.</param>
    /// <param name="operation">What to do.</param>
    /// <param name="frames">Gives frames for demotions.</param>
    /// <param name="sink">Is told what was taken away.</param>
    /// <param name="done">Bytes from the start that were treated.</param>
    private PmapStatus Range<TOperation, TSink>(ulong gpa, ulong length, ref TOperation operation, FrameCache frames,
        ref TSink sink, out ulong done)
        where TOperation : struct, IRangeOperation, allows ref struct
        where TSink : struct, IRemovalSink, allows ref struct
    {
        Invariant.Require(((gpa | length) & Paging.PageOffsetMask) == 0);
        ulong end = gpa >= _limit || length > _limit - gpa ? _limit : gpa + length;
        ulong at = gpa;
        PmapStatus status = PmapStatus.Ok;
        // A caller has told the world first that nothing may be entered here any more. Whoever locks a window after we
        // found it empty must see that; without the fence our look could be older than his lock and the telling newer.
        Shared.Fence();
        while (at < end && status == PmapStatus.Ok)
        {
            ulong from = at;
            if (TryLockExisting(at, out WindowLock window, out ulong next))
            {
                if (Planted.Is(PlantedFault.RangeWithoutLock)) Unlock(in window);
                status = Window(ref window, ref at, end, ref operation, frames, ref sink);
                if (!Planted.Is(PlantedFault.RangeWithoutLock)) Unlock(in window);
            }
            else
            {
                next = ulong.Min(next, end);
                status = operation.Hole(at, next);
                if (status == PmapStatus.Ok) at = next;
            }
            bool leavesTable = at >= end || status != PmapStatus.Ok || ((at ^ from) >> Paging.GigapageShift) != 0;
            if (TOperation.Removes && leavesTable) Prune(from, ref sink);
        }
        done = status == PmapStatus.Ok ? length : at - gpa;
        return status;
    }

    /// <summary>One locked window: advances <paramref name="at"/> over what was treated.</summary>
    private PmapStatus Window<TOperation, TSink>(ref WindowLock window, ref ulong at, ulong end,
        ref TOperation operation, FrameCache frames, ref TSink sink)
        where TOperation : struct, IRangeOperation, allows ref struct
        where TSink : struct, IRemovalSink, allows ref struct
    {
        ulong entry = Shared.Load(window.Entry);
        ulong next = ulong.Min(NextBoundary(at, window.Level), end);
        while (_format.IsValid(entry) && (entry & _format.PageSize) != 0)
        {
            ulong bytes = 1UL << Paging.LevelShift(window.Level);
            bool isWhole = (at & (bytes - 1)) == 0 && next - at == bytes;
            PmapStatus status = PmapStatus.Ok;
            if (isWhole)
            {
                status = operation.Superpage(this, in window, at, frames, ref sink);
            }
            else if (operation.Affects(entry))
            {
                status = DemoteLocked(ref window, at, frames, ref sink, TOperation.RemovesWhatItCannotDemote);
                if (status == PmapStatus.Ok)
                {
                    entry = Shared.Load(window.Entry);
                    next = ulong.Min(NextBoundary(at, window.Level), end);
                    continue;
                }
                if (TOperation.RemovesWhatItCannotDemote) status = PmapStatus.Ok;
                else status = operation.Kept(this, in window, at, next, ref sink);
            }
            else
            {
                status = operation.Kept(this, in window, at, next, ref sink);
            }
            if (status == PmapStatus.Ok) at = next;
            return status;
        }
        if (!_format.IsValid(entry))
        {
            PmapStatus hole = operation.Hole(at, next);
            if (hole == PmapStatus.Ok) at = next;
            return hole;
        }
        return Leaves(in window, TablePfn(entry), ref at, next, ref operation, ref sink);
    }

    private PmapStatus Leaves<TOperation, TSink>(in WindowLock window, uint tablePfn, ref ulong at, ulong next,
        ref TOperation operation, ref TSink sink)
        where TOperation : struct, IRangeOperation, allows ref struct
        where TSink : struct, IRemovalSink, allows ref struct
    {
        int first = IndexAt(at, 1);
        int count = (int)((next - at) >> Paging.PageShift);
        PmapStatus status = operation.Leaves(this, TableAt(tablePfn), first, first + count, at, ref sink,
            out int removed, out int done);
        at = status == PmapStatus.Ok ? next : at + ((ulong)done << Paging.PageShift);
        if (removed != 0 && AddLeafEntries(tablePfn, -removed) == 0) UnlinkLeafTable(in window, tablePfn, ref sink);
        return status;
    }
}
