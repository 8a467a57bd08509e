using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.PageTables;

public sealed unsafe partial class Pmap
{
    /// <summary>
    /// Removes the mapping of one page, unless it is wired. Inside a consumer slot; takes the window's lock. M is in
    /// the frame's dirty flag when it returns.
    /// </summary>
    /// <remarks>
    /// Upper tables that become empty stay: the page comes back, or a range removal takes them. A superpage is demoted
    /// first; without a frame for that all of it is removed, and its other pages are found again by faults.
    /// </remarks>
    /// <param name="gpa">Page-aligned.</param>
    /// <param name="frames">Gives a frame for a demotion.</param>
    /// <param name="sink">Is told of leaves and of the leaf table that became empty.</param>
    /// <returns>Ok, also when nothing was mapped; Denied when it is wired, and stays.</returns>
    public PmapStatus Evict<TSink>(ulong gpa, FrameCache frames, ref TSink sink)
        where TSink : struct, IRemovalSink, allows ref struct
    {
        var operation = default(EvictOperation);
        return Range(gpa, Paging.PageBytes, ref operation, frames, ref sink, out _);
    }

    private readonly struct EvictOperation : IRangeOperation
    {
        public static bool Removes => false;

        public static bool RemovesWhatItCannotDemote => true;

        public bool Affects(ulong entry) => (entry & PteFormat.Wired) == 0;

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
            ulong* cell = table + first;
            ulong entry = Shared.Load(cell);
            if (entry == 0) return PmapStatus.Ok;
            // Under the lock nobody else wires or unwires it.
            if ((entry & PteFormat.Wired) != 0) return PmapStatus.Denied;
            ulong old = TakeLeaf(cell);
            removed = 1;
            if ((old & pmap._format.Modified) != 0) pmap.DirtyFrames(old, 1);
            sink.Page(gpa, old, 1);
            return PmapStatus.Ok;
        }

        public PmapStatus Hole(ulong gpa, ulong end) => PmapStatus.Ok;

        public PmapStatus Kept<TSink>(Pmap pmap, in WindowLock window, ulong gpa, ulong end, ref TSink sink)
            where TSink : struct, IRemovalSink, allows ref struct => PmapStatus.Denied;
    }
}
