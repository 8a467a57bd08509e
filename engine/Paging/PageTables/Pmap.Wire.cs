using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.PageTables;

public sealed unsafe partial class Pmap
{
    /// <summary>
    /// Wires every mapping of a range, and its frames: reclaim must not take it, and it never faults again, so it
    /// counts as used by every right it has. Inside a consumer slot; takes each window's lock in turn.
    /// </summary>
    /// <remarks>
    /// What is wired already gets the rights that it lacks, which needs no shootdown. A frame has one wire for each
    /// wired leaf that maps it.
    /// </remarks>
    /// <param name="gpa">Page-aligned start.</param>
    /// <param name="length">Bytes, page-aligned.</param>
    /// <param name="prot">The rights that the map gives the range; the caller sees to it that they stay so.</param>
    /// <param name="frames">Gives frames for demotions and for the reserve of wired superpages.</param>
    /// <param name="done">Bytes from the start that are wired now.</param>
    /// <returns>
    /// Ok; NotMapped, when the page behind <paramref name="done"/> has no mapping: fault it in and go on from there;
    /// NoFrame, when a superpage there can neither be wired whole nor demoted.
    /// </returns>
    public PmapStatus Wire(ulong gpa, ulong length, Prot prot, FrameCache frames, out ulong done)
    {
        Invariant.Require(_format.CanExpress(prot));
        var operation = new WireOperation(in _format, prot);
        var sink = default(NoSink);
        return Range(gpa, length, ref operation, frames, ref sink, out done);
    }

    /// <summary>Counts a leaf that became wired, for the pmap and for its frames.</summary>
    private void CountWired(ulong entry, int level)
    {
        AddWired((long)PagesOf(level));
        WireFrames(entry, level);
    }

    /// <summary>Counts a leaf that is wired no more, for the pmap and for its frames.</summary>
    private void CountUnwired(ulong entry, int level)
    {
        AddWired(-(long)PagesOf(level));
        UnwireFrames(entry, level);
    }

    private void WireFrames(ulong entry, int level)
    {
        if ((entry & PteFormat.Managed) == 0) return;
        uint first = (uint)(_format.LeafFrame(entry, level) >> Paging.PageShift);
        ulong pages = PagesOf(level);
        for (uint i = 0; i < pages; i++) _frames.AddWire(first + i);
    }

    private void UnwireFrames(ulong entry, int level)
    {
        if ((entry & PteFormat.Managed) == 0) return;
        uint first = (uint)(_format.LeafFrame(entry, level) >> Paging.PageShift);
        ulong pages = PagesOf(level);
        for (uint i = 0; i < pages; i++) _frames.ReleaseWire(first + i);
    }

    private readonly struct WireOperation(in PteFormat format, Prot prot) : IRangeOperation
    {
        private readonly ulong _set = PteFormat.Wired | ((prot & Prot.Read) != 0 ? format.Readable : 0)
            | ((prot & Prot.Write) != 0 ? format.Writable : 0) | ((prot & Prot.Execute) != 0 ? format.ExecSet : 0)
            // An emulated M is the right to write without a fault; a harvest may have taken it.
            | ((prot & Prot.Write) != 0 && format.EmulatesAd ? format.Modified : 0);

        private readonly ulong _clear = (prot & Prot.Execute) != 0 ? format.NoExecute | format.ExecParked : 0;

        public static bool Removes => false;

        public static bool RemovesWhatItCannotDemote => false;

        public bool Affects(ulong entry) => (entry & PteFormat.Wired) == 0 || ((entry & ~_clear) | _set) != entry;

        public PmapStatus Superpage<TSink>(Pmap pmap, in WindowLock window, ulong gpa, FrameCache frames,
            ref TSink sink)
            where TSink : struct, IRemovalSink, allows ref struct
        {
            ulong entry = Shared.Load(window.Entry);
            if (!Affects(entry)) return PmapStatus.Ok;
            bool isNew = (entry & PteFormat.Wired) == 0;
            if (isNew && !pmap.TryReserve(window.Level, frames)) return PmapStatus.NoFrame;
            SetWired(pmap, window.Entry);
            if (isNew) pmap.CountWired(entry, window.Level);
            return PmapStatus.Ok;
        }

        public PmapStatus Leaves<TSink>(Pmap pmap, ulong* table, int first, int end, ulong gpa, ref TSink sink,
            out int removed, out int done)
            where TSink : struct, IRemovalSink, allows ref struct
        {
            int wired = 0;
            int i = first;
            for (; i < end; i++)
            {
                ulong entry = Shared.Load(table + i);
                if (entry == 0) break;
                if (!Affects(entry)) continue;
                SetWired(pmap, table + i);
                if ((entry & PteFormat.Wired) != 0) continue;
                pmap.WireFrames(entry, 1);
                wired++;
            }
            if (wired != 0) pmap.AddWired(wired);
            removed = 0;
            done = i - first;
            return i == end ? PmapStatus.Ok : PmapStatus.NotMapped;
        }

        public PmapStatus Hole(ulong gpa, ulong end) => PmapStatus.NotMapped;

        public PmapStatus Kept<TSink>(Pmap pmap, in WindowLock window, ulong gpa, ulong end, ref TSink sink)
            where TSink : struct, IRemovalSink, allows ref struct =>
            Affects(Shared.Load(window.Entry)) ? PmapStatus.NoFrame : PmapStatus.Ok;

        private void SetWired(Pmap pmap, ulong* cell)
        {
            ref readonly PteFormat format = ref pmap._format;
            ulong old = Shared.Load(cell);
            while (true)
            {
                ulong next = (format.WithAccessed(old) & ~_clear) | _set;
                if ((next & (format.Writable | PteFormat.WriteParked)) != 0)
                    next = (next & ~PteFormat.WriteParked) | format.Writable | format.Modified;
                ulong found = Shared.CompareExchange(cell, next, old);
                if (found == old) return;
                old = found;
            }
        }
    }

    /// <summary>Hears nothing: for operations that take nothing away.</summary>
    private readonly struct NoSink : IRemovalSink
    {
        public void Page(ulong gpa, ulong oldEntry, int level) =>
            Invariant.Fail("An operation that removes nothing did.");

        public void Changed(ulong gpa, ulong oldEntry, int level) =>
            Invariant.Fail("An operation that takes no rights did.");

        public void TablePage(uint pfn) => Invariant.Fail("An operation that unlinks nothing did.");

        public void RetiredTable(uint pfn) => Invariant.Fail("An operation that unlinks nothing did.");
    }
}
