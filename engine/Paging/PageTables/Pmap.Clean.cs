using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.PageTables;

public sealed unsafe partial class Pmap
{
    /// <summary>
    /// Takes M from the mapping of one page, as the first step of writing the page out. Inside a consumer slot; takes
    /// the window's lock. M is in the frame's dirty flag when it returns; the entry stays writable.
    /// </summary>
    /// <remarks>
    /// A wired page keeps its marks, since it must never fault, and so does a superpage: cleaning one of its pages
    /// would cost all the others theirs.
    /// </remarks>
    /// <param name="gpa">Page-aligned.</param>
    /// <param name="frames">Not used.</param>
    /// <param name="sink">Is told of a leaf that lost M.</param>
    /// <returns>Ok, also when nothing was mapped or written; Denied when the mapping keeps M.</returns>
    public PmapStatus Clean<TSink>(ulong gpa, FrameCache frames, ref TSink sink)
        where TSink : struct, IRemovalSink, allows ref struct
    {
        var operation = default(CleanOperation);
        return Range(gpa, Paging.PageBytes, ref operation, frames, ref sink, out _);
    }

    private readonly struct CleanOperation : IRangeOperation
    {
        public static bool Removes => false;

        public static bool RemovesWhatItCannotDemote => false;

        public bool Affects(ulong entry) => false;

        public PmapStatus Superpage<TSink>(Pmap pmap, in WindowLock window, ulong gpa, FrameCache frames,
            ref TSink sink)
            where TSink : struct, IRemovalSink, allows ref struct
        {
            Invariant.Fail("one page covers no superpage");
            return PmapStatus.Denied;
        }

        public PmapStatus Leaves<TSink>(Pmap pmap, ulong* table, int first, int end, ulong gpa, ref TSink sink,
            out int removed, out int done)
            where TSink : struct, IRemovalSink, allows ref struct
        {
            removed = 0;
            done = 1;
            ulong modified = pmap._format.Modified;
            ulong* cell = table + first;
            ulong entry = Shared.Load(cell);
            if (entry == 0) return PmapStatus.Ok;
            if ((entry & PteFormat.Wired) != 0) return PmapStatus.Denied;
            // Entry first, flag second: in between nobody calls the page clean who has not waited for us.
            if ((entry & modified) == 0 || (Shared.And(cell, ~modified) & modified) == 0) return PmapStatus.Ok;
            pmap.DirtyFrames(entry, 1);
            sink.Changed(gpa, entry, 1);
            return PmapStatus.Ok;
        }

        public PmapStatus Hole(ulong gpa, ulong end) => PmapStatus.Ok;

        public PmapStatus Kept<TSink>(Pmap pmap, in WindowLock window, ulong gpa, ulong end, ref TSink sink)
            where TSink : struct, IRemovalSink, allows ref struct => PmapStatus.Denied;
    }
}
