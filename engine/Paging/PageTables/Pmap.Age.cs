using System;
using Pagoda.Core;

namespace Pagoda.PageTables;

public sealed unsafe partial class Pmap
{
    /// <summary>
    /// Notes for every page of a range that was used since the last sweep that it was used in this generation, and
    /// clears its accessed bit. Lock-free, inside a consumer slot; needs no shootdown. M that goes along with A is in
    /// the frame's dirty flag.
    /// </summary>
    /// <remarks>
    /// Leaf tables are read as a stream, eight entries at a time; an entry that has the bit costs one locked operation,
    /// one that has not costs none. A superpage's bit stands for all its pages, cleared by a range that covers it.
    /// </remarks>
    /// <param name="gpa">Page-aligned start.</param>
    /// <param name="length">Bytes, page-aligned.</param>
    /// <param name="generation">What the ages of used frames become.</param>
    /// <returns>Pages used.</returns>
    public ulong Age(ulong gpa, ulong length, byte generation)
    {
        Invariant.Require(((gpa | length) & Paging.PageOffsetMask) == 0);
        ulong end = gpa >= _limit || length > _limit - gpa ? _limit : gpa + length;
        ulong used = 0;
        ulong next;
        for (ulong at = gpa; at < end; at = next)
        {
            ulong entry = FindWindowEntry(at, out int level);
            next = ulong.Min(NextBoundary(at, level), end);
            if (!_format.IsValid(entry)) continue;
            if (_format.IsLeaf(entry, level)) used += AgeSuperpage(at, next, entry, level, generation);
            else if (_format.EmulatesAd) used += AgeLeaves(TableAt(TablePfn(entry)), at, next, generation);
            else used += AgeHardwareLeaves(TableAt(TablePfn(entry)), at, next, generation);
        }
        return used;
    }

    /// <summary>
    /// Where hardware keeps the bits, A goes alone, whatever else the entry is by then: one locked operation that
    /// cannot fail.
    /// </summary>
    private ulong AgeHardwareLeaves(ulong* table, ulong gpa, ulong next, byte generation)
    {
        ulong accessed = _format.Accessed;
        ulong frame = _format.Frame;
        byte* ages = _frames.Ages;
        int first = IndexAt(gpa, 1);
        int end = first + (int)((next - gpa) >> Paging.PageShift);
        ulong used = 0;
        var scan = new PteScan(table, first, end, accessed);
        while (scan.TryNext(out int i))
        {
            ulong entry = Shared.Load(table + i);
            Shared.And(table + i, ~accessed);
            if ((entry & accessed) == 0 || (entry & PteFormat.Managed) == 0) continue;
            Shared.Store(ages + ((entry & frame) >> Paging.PageShift), generation);
            used++;
        }
        return used;
    }

    private ulong AgeLeaves(ulong* table, ulong gpa, ulong next, byte generation)
    {
        ulong accessed = _format.Accessed;
        ulong frame = _format.Frame;
        byte* ages = _frames.Ages;
        int first = IndexAt(gpa, 1);
        int end = first + (int)((next - gpa) >> Paging.PageShift);
        ulong used = 0;
        var scan = new PteScan(table, first, end, accessed);
        while (scan.TryNext(out int i))
        {
            ulong entry;
            bool referenced;
            do entry = Shared.Load(table + i);
            while (!TryClearReferenced(table + i, entry, 1, out referenced, out _));
            if (!referenced || (entry & PteFormat.Managed) == 0) continue;
            Shared.Store(ages + ((entry & frame) >> Paging.PageShift), generation);
            used++;
        }
        return used;
    }

    private ulong AgeSuperpage(ulong gpa, ulong next, ulong entry, int level, byte generation)
    {
        if ((entry & _format.Accessed) == 0 || (entry & PteFormat.Managed) == 0) return 0;
        ulong bytes = 1UL << Paging.LevelShift(level);
        if (next - gpa == bytes) ClearReferenced(gpa, out _);
        ulong pages = (next - gpa) >> Paging.PageShift;
        ulong hpa = _format.LeafFrame(entry, level) | (gpa & (bytes - 1));
        // Ages are hints that one sweep at a time writes; a page that comes or goes meanwhile gets its own beside it.
        new Span<byte>(_frames.Ages + (hpa >> Paging.PageShift), (int)pages).Fill(generation);
        return pages;
    }
}
