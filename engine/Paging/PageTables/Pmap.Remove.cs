using System.Runtime.CompilerServices;
using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.PageTables;

public sealed unsafe partial class Pmap
{
    /// <summary>
    /// Removes every mapping of a range, wired ones too, and unlinks the tables that become empty. Inside a consumer
    /// slot; takes each window's lock in turn.
    /// </summary>
    /// <remarks>
    /// Each leaf goes by an exchange of its own, before its table does: a walker that still has the table finds
    /// nothing to set bits in. A modified bit is in its frame's dirty flag before the sink hears of the leaf. A
    /// superpage that the range covers in part is demoted; without a frame for that all of it is removed, and the sink
    /// is told so.
    /// </remarks>
    /// <param name="gpa">Page-aligned start.</param>
    /// <param name="length">Bytes, page-aligned.</param>
    /// <param name="frames">Gives frames for demotions, and takes those that wired superpages held in reserve.</param>
    /// <param name="sink">Is told of every leaf and table page.</param>
    public void Remove<TSink>(ulong gpa, ulong length, FrameCache frames, ref TSink sink)
        where TSink : struct, IRemovalSink, allows ref struct
    {
        var operation = default(RemoveOperation);
        PmapStatus status = Range(gpa, length, ref operation, frames, ref sink, out _);
        Invariant.Require(status == PmapStatus.Ok);
    }

    /// <summary>Empties a leaf's cell under its window's lock; what was there at that moment.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong TakeLeaf(ulong* cell)
    {
        if (!Planted.Is(PlantedFault.RemovalByLoadAndStore)) return Shared.Exchange(cell, 0);
        ulong seen = Shared.Load(cell);
        Shared.Store(cell, 0);
        return seen;
    }

    /// <summary>Removes the superpage whose lock is held; the lock stays.</summary>
    private void RemoveSuperpage<TSink>(in WindowLock window, ulong gpa, FrameCache frames, ref TSink sink)
        where TSink : struct, IRemovalSink, allows ref struct
    {
        int level = window.Level;
        ulong old = Shared.Exchange(window.Entry, WindowLockBit) & ~WindowLockBit;
        _frames.AddTableEntries(window.TablePfn, -1);
        if ((old & PteFormat.Wired) != 0)
        {
            CountUnwired(old, level);
            ReleaseReserve(ReserveOf(level), frames);
        }
        if ((old & _format.Modified) != 0 && (old & PteFormat.Managed) != 0) DirtyFrames(old, level);
        sink.Page(gpa & ~((1UL << Paging.LevelShift(level)) - 1), old, level);
    }

    private readonly struct RemoveOperation : IRangeOperation
    {
        public static bool Removes => true;

        public static bool RemovesWhatItCannotDemote => true;

        public bool Affects(ulong entry) => true;

        public PmapStatus Superpage<TSink>(Pmap pmap, in WindowLock window, ulong gpa, FrameCache frames,
            ref TSink sink)
            where TSink : struct, IRemovalSink, allows ref struct
        {
            pmap.RemoveSuperpage(in window, gpa, frames, ref sink);
            return PmapStatus.Ok;
        }

        public PmapStatus Leaves<TSink>(Pmap pmap, ulong* table, int first, int end, ulong gpa, ref TSink sink,
            out int removed, out int done)
            where TSink : struct, IRemovalSink, allows ref struct
        {
            ulong modified = pmap._format.Modified;
            ulong frame = pmap._format.Frame;
            FrameTable frames = pmap._frames;
            int wired = 0;
            removed = 0;
            var scan = new PteScan(table, first, end, AlwaysSet);
            while (scan.TryNext(out int i))
            {
                ulong old = TakeLeaf(table + i);
                removed++;
                if ((old & PteFormat.Wired) != 0)
                {
                    pmap.UnwireFrames(old, 1);
                    wired++;
                }
                if ((old & modified) != 0 && (old & PteFormat.Managed) != 0)
                    frames.SetDirty((uint)((old & frame) >> Paging.PageShift));
                sink.Page(gpa + ((ulong)(i - first) << Paging.PageShift), old, 1);
            }
            if (wired != 0) pmap.AddWired(-wired);
            done = end - first;
            return PmapStatus.Ok;
        }

        public PmapStatus Hole(ulong gpa, ulong end) => PmapStatus.Ok;

        public PmapStatus Kept<TSink>(Pmap pmap, in WindowLock window, ulong gpa, ulong end, ref TSink sink)
            where TSink : struct, IRemovalSink, allows ref struct => PmapStatus.Ok;
    }
}
