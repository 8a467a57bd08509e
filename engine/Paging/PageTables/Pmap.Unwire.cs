using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.PageTables;

public sealed unsafe partial class Pmap
{
    /// <summary>
    /// Unwires every mapping of a range, and its frames; what is not wired or not there stays as it is. Needs no
    /// shootdown. Inside a consumer slot; takes each window's lock in turn.
    /// </summary>
    /// <param name="gpa">Page-aligned start.</param>
    /// <param name="length">Bytes, page-aligned.</param>
    /// <param name="frames">Takes the frames that wired superpages held in reserve.</param>
    public void Unwire(ulong gpa, ulong length, FrameCache frames)
    {
        var operation = default(UnwireOperation);
        var sink = default(NoSink);
        PmapStatus status = Range(gpa, length, ref operation, frames, ref sink, out _);
        Invariant.Require(status == PmapStatus.Ok);
    }

    private readonly struct UnwireOperation : IRangeOperation
    {
        public static bool Removes => false;

        public static bool RemovesWhatItCannotDemote => false;

        public bool Affects(ulong entry) => (entry & PteFormat.Wired) != 0;

        public PmapStatus Superpage<TSink>(Pmap pmap, in WindowLock window, ulong gpa, FrameCache frames,
            ref TSink sink)
            where TSink : struct, IRemovalSink, allows ref struct
        {
            ulong old = Shared.And(window.Entry, ~PteFormat.Wired);
            if (!Affects(old)) return PmapStatus.Ok;
            pmap.CountUnwired(old, window.Level);
            pmap.ReleaseReserve(ReserveOf(window.Level), frames);
            return PmapStatus.Ok;
        }

        public PmapStatus Leaves<TSink>(Pmap pmap, ulong* table, int first, int end, ulong gpa, ref TSink sink,
            out int removed, out int done)
            where TSink : struct, IRemovalSink, allows ref struct
        {
            int unwired = 0;
            var scan = new PteScan(table, first, end, PteFormat.Wired);
            while (scan.TryNext(out int i))
            {
                ulong old = Shared.And(table + i, ~PteFormat.Wired);
                if (!Affects(old)) continue;
                pmap.UnwireFrames(old, 1);
                unwired++;
            }
            if (unwired != 0) pmap.AddWired(-unwired);
            removed = 0;
            done = end - first;
            return PmapStatus.Ok;
        }

        public PmapStatus Hole(ulong gpa, ulong end) => PmapStatus.Ok;

        public PmapStatus Kept<TSink>(Pmap pmap, in WindowLock window, ulong gpa, ulong end, ref TSink sink)
            where TSink : struct, IRemovalSink, allows ref struct
        {
            // The reserve saw to it that a wired superpage was demoted.
            Invariant.Require(!Affects(Shared.Load(window.Entry)));
            return PmapStatus.Ok;
        }
    }
}
