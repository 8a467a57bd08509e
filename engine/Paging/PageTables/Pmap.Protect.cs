using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.PageTables;

public sealed unsafe partial class Pmap
{
    /// <summary>
    /// Takes from every mapping of a range the rights that are not in <paramref name="prot"/>; gives none. Inside a
    /// consumer slot; takes each window's lock in turn.
    /// </summary>
    /// <remarks>
    /// Rights that the format cannot express (none, or execution alone where it has no such entries) remove the
    /// mappings. All rights change nothing. Who loses the write right loses M, which goes to the frame's dirty flag
    /// before the sink hears of it. Under emulation the sink hears of every leaf that ends up without a write right,
    /// also of those that had none: a TLB may keep one from before M was moved away by a sweep.
    /// A superpage that the range covers in part is demoted if it would change; without a frame all of it is removed.
    /// </remarks>
    /// <param name="gpa">Page-aligned start.</param>
    /// <param name="length">Bytes, page-aligned.</param>
    /// <param name="prot">The rights that may stay.</param>
    /// <param name="frames">Gives frames for demotions.</param>
    /// <param name="sink">Is told of every leaf that lost something.</param>
    public void Protect<TSink>(ulong gpa, ulong length, Prot prot, FrameCache frames, ref TSink sink)
        where TSink : struct, IRemovalSink, allows ref struct
    {
        if (prot == Prot.All) return;
        if (!_format.CanExpress(prot))
        {
            Remove(gpa, length, frames, ref sink);
            return;
        }
        ulong clear = 0;
        ulong set = 0;
        if ((prot & Prot.Write) == 0) clear |= _format.Writable | _format.Modified | PteFormat.WriteParked;
        if ((prot & Prot.Execute) == 0)
        {
            clear |= _format.ExecSet | _format.ExecParked;
            set |= _format.NoExecute;
        }
        // Execute-only entries: their read right is a bit of its own, and what has no other right goes altogether.
        if ((prot & Prot.Read) == 0) clear |= _format.Readable;
        Strip(gpa, length, clear, set, frames, ref sink);
    }

    /// <summary>
    /// Clears and sets bits in every leaf of a range; a leaf that is not valid afterwards is removed.
    /// </summary>
    private void Strip<TSink>(ulong gpa, ulong length, ulong clear, ulong set, FrameCache frames, ref TSink sink)
        where TSink : struct, IRemovalSink, allows ref struct
    {
        var operation = new StripOperation(in _format, clear, set);
        PmapStatus status = Range(gpa, length, ref operation, frames, ref sink, out _);
        Invariant.Require(status == PmapStatus.Ok);
    }

    private readonly struct StripOperation(in PteFormat format, ulong clear, ulong set) : IRangeOperation
    {
        private readonly ulong _clear = clear;
        private readonly ulong _set = set;
        private readonly ulong _modified = format.Modified;
        private readonly ulong _valid = format.Valid;

        /// <summary>
        /// The sink hears of unchanged leaves too: a TLB may know a write right that the entry has lost.
        /// </summary>
        private readonly bool _always = format.EmulatesAd && (clear & format.Writable) != 0;

        public static bool Removes => true;

        public static bool RemovesWhatItCannotDemote => true;

        public bool Affects(ulong entry) => ((entry & ~_clear) | _set) != entry;

        public PmapStatus Superpage<TSink>(Pmap pmap, in WindowLock window, ulong gpa, FrameCache frames,
            ref TSink sink)
            where TSink : struct, IRemovalSink, allows ref struct
        {
            ulong old = Shared.Load(window.Entry);
            if (((old & ~_clear) & _valid) == 0)
            {
                pmap.RemoveSuperpage(in window, gpa, frames, ref sink);
                return PmapStatus.Ok;
            }
            ulong next = Change(window.Entry, ref old);
            if (next == old && !_always) return PmapStatus.Ok;
            if ((old & ~next & _modified) != 0 && (old & PteFormat.Managed) != 0) pmap.DirtyFrames(old, window.Level);
            sink.Changed(gpa, old & ~WindowLockBit, window.Level);
            return PmapStatus.Ok;
        }

        public PmapStatus Leaves<TSink>(Pmap pmap, ulong* table, int first, int end, ulong gpa, ref TSink sink,
            out int removed, out int done)
            where TSink : struct, IRemovalSink, allows ref struct
        {
            ulong frame = pmap._format.Frame;
            ulong modified = _modified;
            FrameTable frames = pmap._frames;
            removed = 0;
            done = end - first;
            var scan = new PteScan(table, first, end, AlwaysSet);
            while (scan.TryNext(out int i))
            {
                ulong at = gpa + ((ulong)(i - first) << Paging.PageShift);
                ulong old = Shared.Load(table + i);
                if (((old & ~_clear) & _valid) == 0)
                {
                    var one = default(RemoveOperation);
                    one.Leaves(pmap, table, i, i + 1, at, ref sink, out int gone, out _);
                    removed += gone;
                    continue;
                }
                ulong next = Change(table + i, ref old);
                if (next == old && !_always) continue;
                if ((old & ~next & modified) != 0 && (old & PteFormat.Managed) != 0)
                    frames.SetDirty((uint)((old & frame) >> Paging.PageShift));
                sink.Changed(at, old, 1);
            }
            return PmapStatus.Ok;
        }

        public PmapStatus Hole(ulong gpa, ulong end) => PmapStatus.Ok;

        public PmapStatus Kept<TSink>(Pmap pmap, in WindowLock window, ulong gpa, ulong end, ref TSink sink)
            where TSink : struct, IRemovalSink, allows ref struct
        {
            if (_always) sink.Changed(gpa, Shared.Load(window.Entry) & ~WindowLockBit, window.Level);
            return PmapStatus.Ok;
        }

        /// <summary>
        /// Changes one leaf against those who set and clear A beside us; the new and the last old value.
        /// </summary>
        private ulong Change(ulong* cell, ref ulong old)
        {
            while (true)
            {
                ulong next = (old & ~_clear) | _set;
                if (next == old) return next;
                ulong found = Shared.CompareExchange(cell, next, old);
                if (found == old) return next;
                old = found;
            }
        }
    }
}
