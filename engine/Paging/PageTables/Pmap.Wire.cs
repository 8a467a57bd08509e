using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.PageTables;

public sealed unsafe partial class Pmap
{
    /// <summary>
    /// Wires every mapping of a range: reclaim must not take it, and it never faults again, so it counts as used by
    /// every right it has. Inside a consumer slot; takes each window's lock in turn.
    /// </summary>
    /// <param name="gpa">Page-aligned start.</param>
    /// <param name="length">Bytes, page-aligned.</param>
    /// <param name="frames">Gives frames for demotions and for the reserve of wired superpages.</param>
    /// <param name="done">Bytes from the start that are wired now.</param>
    /// <returns>
    /// Ok; NotMapped, when the page behind <paramref name="done"/> has no mapping: fault it in and go on from there;
    /// NoFrame, when a superpage there can neither be wired whole nor demoted.
    /// </returns>
    public PmapStatus Wire(ulong gpa, ulong length, FrameCache frames, out ulong done)
    {
        var operation = default(WireOperation);
        var sink = default(NoSink);
        return Range(gpa, length, ref operation, frames, ref sink, out done);
    }

    private readonly struct WireOperation : IRangeOperation
    {
        public static bool Removes => false;

        public static bool RemovesWhatItCannotDemote => false;

        public bool Affects(ulong entry) => (entry & PteFormat.Wired) == 0;

        public PmapStatus Superpage<TSink>(Pmap pmap, in WindowLock window, ulong gpa, FrameCache frames,
            ref TSink sink)
            where TSink : struct, IRemovalSink, allows ref struct
        {
            if (!Affects(Shared.Load(window.Entry))) return PmapStatus.Ok;
            if (!pmap.TryReserve(window.Level, frames)) return PmapStatus.NoFrame;
            SetWired(pmap, window.Entry);
            pmap.AddWired((long)PagesOf(window.Level));
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

        private static void SetWired(Pmap pmap, ulong* cell)
        {
            ref readonly PteFormat format = ref pmap._format;
            ulong old = Shared.Load(cell);
            while (true)
            {
                ulong next = format.WithAccessed(old) | PteFormat.Wired;
                if ((old & format.Writable) != 0) next |= format.Modified;
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
    }
}
