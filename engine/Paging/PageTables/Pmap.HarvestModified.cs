using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.PageTables;

public sealed unsafe partial class Pmap
{
    /// <summary>
    /// Says which mapped pages of a range were written, and with <paramref name="clear"/> starts anew. Inside a
    /// consumer slot; takes each window's lock in turn.
    /// </summary>
    /// <remarks>
    /// Written is a page whose entry has M or whose frame has the written mark, where M goes when something else takes
    /// it, and which writes of the host set. Clearing moves M to the frame's dirty flag, so that a page is still
    /// written out one day, and takes the mark. Every page that is reported is told to the sink: the report may be
    /// trusted as complete, and the next one starts, only after the shootdown. Unmanaged mappings are not reported. A
    /// superpage is written as a whole. Cleared, it parks its write right too; if the range covers it in part it is
    /// demoted first, and without a frame for that it is reported but not cleared.
    /// </remarks>
    /// <param name="gpa">Page-aligned start.</param>
    /// <param name="length">Bytes, page-aligned.</param>
    /// <param name="bitmap">Bit i of the words, from the lowest of the first on, is set if page i was written; others
    /// stay as they are. Room for every page of the range.</param>
    /// <param name="clear">Clear the marks.</param>
    /// <param name="frames">Gives frames for demotions.</param>
    /// <param name="sink">Is told of every leaf whose mark was cleared.</param>
    /// <returns>Pages written.</returns>
    public ulong HarvestModified<TSink>(ulong gpa, ulong length, ulong* bitmap, bool clear, FrameCache frames,
        ref TSink sink)
        where TSink : struct, IRemovalSink, allows ref struct
    {
        var operation = new HarvestModifiedOperation(in _format, gpa, bitmap, clear);
        PmapStatus status = Range(gpa, length, ref operation, frames, ref sink, out _);
        Invariant.Require(status == PmapStatus.Ok);
        return operation.Count;
    }

    private struct HarvestModifiedOperation(in PteFormat format, ulong start, ulong* bitmap, bool clear)
        : IRangeOperation
    {
        private readonly ulong _modified = format.Modified;
        private readonly ulong _start = start;
        private readonly ulong* _bitmap = bitmap;
        private readonly bool _clear = clear;

        public ulong Count;

        public static bool Removes => false;

        public static bool RemovesWhatItCannotDemote => false;

        public readonly bool Affects(ulong entry) =>
            _clear && (entry & _modified) != 0 && (entry & PteFormat.Managed) != 0;

        public PmapStatus Superpage<TSink>(Pmap pmap, in WindowLock window, ulong gpa, FrameCache frames,
            ref TSink sink)
            where TSink : struct, IRemovalSink, allows ref struct
        {
            ulong entry = Shared.Load(window.Entry);
            if (Affects(entry))
            {
                entry = ParkWrite(pmap, window.Entry);
                pmap.DirtyFrames(entry, window.Level);
            }
            return Report(pmap, entry, window.Level, gpa, NextBoundary(gpa, window.Level), _clear, ref sink);
        }

        /// <summary>
        /// RW means M on a superpage, so without M its write right is parked, and the next write demotes it. The last
        /// old value: A may come and go beside us.
        /// </summary>
        private static ulong ParkWrite(Pmap pmap, ulong* cell)
        {
            ulong old = Shared.Load(cell);
            while (true)
            {
                ulong found = Shared.CompareExchange(cell, pmap._format.WithWriteParked(old), old);
                if (found == old) return old;
                old = found;
            }
        }

        public PmapStatus Leaves<TSink>(Pmap pmap, ulong* table, int first, int end, ulong gpa, ref TSink sink,
            out int removed, out int done)
            where TSink : struct, IRemovalSink, allows ref struct
        {
            ulong modified = _modified;
            ulong frame = pmap._format.Frame;
            FrameTable frames = pmap._frames;
            var scan = new PteScan(table, first, end, PteFormat.Managed);
            while (scan.TryNext(out int i))
            {
                ulong entry = Shared.Load(table + i);
                uint pfn = (uint)((entry & frame) >> Paging.PageShift);
                ulong at = gpa + ((ulong)(i - first) << Paging.PageShift);
                bool written = (entry & modified) != 0;
                if (_clear)
                {
                    // Entry, then flag, then the mark: the order of every taking. A that comes or goes beside us
                    // is left alone, and M that a sweep moved meanwhile is in the mark.
                    if (written && (Shared.And(table + i, ~modified) & modified) != 0) frames.SetDirty(pfn);
                    written |= frames.TakeWritten(pfn);
                    if (written) sink.Changed(at, entry, 1);
                }
                else
                {
                    written |= frames.IsWritten(pfn);
                }
                if (written) Set(at);
            }
            removed = 0;
            done = end - first;
            return PmapStatus.Ok;
        }

        public readonly PmapStatus Hole(ulong gpa, ulong end) => PmapStatus.Ok;

        public PmapStatus Kept<TSink>(Pmap pmap, in WindowLock window, ulong gpa, ulong end, ref TSink sink)
            where TSink : struct, IRemovalSink, allows ref struct
        {
            ulong entry = Shared.Load(window.Entry);
            return Report(pmap, entry, window.Level, gpa, end, _clear && !Affects(entry), ref sink);
        }

        /// <summary>Pages of a superpage; <paramref name="entry"/> is what it was.</summary>
        private PmapStatus Report<TSink>(Pmap pmap, ulong entry, int level, ulong gpa, ulong end, bool take,
            ref TSink sink)
            where TSink : struct, IRemovalSink, allows ref struct
        {
            if ((entry & PteFormat.Managed) == 0) return PmapStatus.Ok;
            ulong offset = gpa & ((1UL << Paging.LevelShift(level)) - 1);
            uint pfn = (uint)((pmap._format.LeafFrame(entry, level) + offset) >> Paging.PageShift);
            bool all = (entry & _modified) != 0;
            bool any = false;
            for (ulong at = gpa; at < end; at += Paging.PageBytes, pfn++)
            {
                bool written = all | (take ? pmap._frames.TakeWritten(pfn) : pmap._frames.IsWritten(pfn));
                if (!written) continue;
                any = true;
                Set(at);
            }
            ulong first = gpa & ~((1UL << Paging.LevelShift(level)) - 1);
            if (any && take) sink.Changed(first, entry & ~WindowLockBit, level);
            return PmapStatus.Ok;
        }

        private void Set(ulong gpa)
        {
            ulong page = (gpa - _start) >> Paging.PageShift;
            _bitmap[page >> 6] |= 1UL << (int)(page & 63);
            Count++;
        }
    }
}
