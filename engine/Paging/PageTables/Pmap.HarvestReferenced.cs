using Pagoda.Core;

namespace Pagoda.PageTables;

public sealed unsafe partial class Pmap
{
    /// <summary>
    /// Says which mapped pages of a range were used since their accessed bits were last cleared, and with
    /// <paramref name="clear"/> clears them. Lock-free, inside a consumer slot; needs no shootdown. What
    /// <see cref="ClearReferenced"/> does to one leaf this does to each that has the bit.
    /// </summary>
    /// <remarks>
    /// A superpage's bit stands for all its pages. It is cleared only by a range that covers it, so that sweeps of
    /// parts do not hide it from one another.
    /// </remarks>
    /// <param name="gpa">Page-aligned start.</param>
    /// <param name="length">Bytes, page-aligned.</param>
    /// <param name="bitmap">Bit i of the words, from the lowest of the first on, is set if page i was used; others stay
    /// as they are. Room for every page of the range.</param>
    /// <param name="clear">Clear the bits.</param>
    /// <returns>Pages used.</returns>
    public ulong HarvestReferenced(ulong gpa, ulong length, ulong* bitmap, bool clear)
    {
        Invariant.Require(((gpa | length) & Paging.PageOffsetMask) == 0);
        ulong end = gpa >= _limit || length > _limit - gpa ? _limit : gpa + length;
        ulong count = 0;
        ulong next;
        for (ulong at = gpa; at < end; at = next)
        {
            ulong entry = FindWindowEntry(at, out int level);
            next = ulong.Min(NextBoundary(at, level), end);
            if (!_format.IsValid(entry)) continue;
            ulong page = (at - gpa) >> Paging.PageShift;
            if (_format.IsLeaf(entry, level)) count += HarvestSuperpage(at, next, entry, level, bitmap, page, clear);
            else count += HarvestLeaves(TableAt(TablePfn(entry)), at, next, bitmap, page, clear);
        }
        return count;
    }

    /// <summary>The PDE of an address, or the entry above it that is absent or a leaf, with its level.</summary>
    private ulong FindWindowEntry(ulong gpa, out int level)
    {
        level = _format.Levels;
        ulong entry = Shared.Load(_root + IndexAt(gpa, level));
        while (level > 2 && _format.IsValid(entry) && !_format.IsLeaf(entry, level))
        {
            level--;
            entry = Shared.Load(TableAt(TablePfn(entry)) + IndexAt(gpa, level));
        }
        return entry;
    }

    private ulong HarvestLeaves(ulong* table, ulong gpa, ulong next, ulong* bitmap, ulong page, bool clear)
    {
        ulong accessed = _format.Accessed;
        int first = IndexAt(gpa, 1);
        int end = first + (int)((next - gpa) >> Paging.PageShift);
        ulong count = 0;
        var scan = new PteScan(table, first, end, accessed);
        while (scan.TryNext(out int i))
        {
            bool referenced = true;
            if (clear)
            {
                while (!TryClearReferenced(table + i, Shared.Load(table + i), 1, out referenced, out _))
                {
                    // It changed between the load and the compare-and-swap: look again.
                }
            }
            if (!referenced) continue;
            ulong bit = page + (ulong)(i - first);
            bitmap[bit >> 6] |= 1UL << (int)(bit & 63);
            count++;
        }
        return count;
    }

    private ulong HarvestSuperpage(ulong gpa, ulong next, ulong entry, int level, ulong* bitmap, ulong page, bool clear)
    {
        if ((entry & _format.Accessed) == 0) return 0;
        if (clear && next - gpa == 1UL << Paging.LevelShift(level)) ClearReferenced(gpa, out _);
        ulong pages = (next - gpa) >> Paging.PageShift;
        for (ulong bit = page; bit < page + pages; bit++) bitmap[bit >> 6] |= 1UL << (int)(bit & 63);
        return pages;
    }
}
