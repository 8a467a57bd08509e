using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.PageTables;

public sealed unsafe partial class Pmap
{
    /// <summary>What the check counts on its way, to compare with what the pmap keeps.</summary>
    private struct Totals
    {
        public ulong Tables;
        public ulong Wired;
        public ulong Reserve;
        public ulong Resident;
    }

    /// <summary>
    /// Checks every table and entry while nobody else changes the pmap: entries are legal and superpages aligned; every
    /// table has the level, parent and count of entries that its record says; no leaf table is empty; no lock is held;
    /// the counts of wired, resident, table and reserve pages are those of the tree.
    /// </summary>
    /// <exception cref="InvariantException">Something of that is not so.</exception>
    public void CheckConsistency()
    {
        Totals totals = default;
        CheckTable(_rootPfn, 0, _format.Levels, ref totals);
        PmapStatistics statistics = GetStatistics();
        Invariant.Require(statistics.TablePages == totals.Tables);
        Invariant.Require(statistics.WiredPages == totals.Wired);
        Invariant.Require(statistics.ResidentPages == totals.Resident);
        Invariant.Require(statistics.ReservePages == totals.Reserve);
        Invariant.Require(Shared.Load(&_counters->ReserveLock) == 0);
        ulong reserve = 0;
        for (uint pfn = _counters->ReserveFirst; pfn != 0; pfn = (uint)*TableAt(pfn))
        {
            Invariant.Require(_frames.StateOf(pfn) == FrameState.Table);
            reserve++;
            Invariant.Require(reserve <= totals.Reserve);
        }
        Invariant.Require(reserve == totals.Reserve);
    }

    private void CheckTable(uint pfn, uint parent, int level, ref Totals totals)
    {
        Invariant.Require(pfn != 0);
        Invariant.Require(pfn < _arena.FrameCount);
        Invariant.Require(_frames.StateOf(pfn) == FrameState.Table);
        Invariant.Require(_frames.TableLevel(pfn) == level);
        Invariant.Require(Shared.Load(&_frames.Record(pfn)->Owner) == parent);
        totals.Tables++;
        int count = 0;
        ulong* table = TableAt(pfn);
        for (int i = 0; i < Paging.EntriesPerTable; i++)
        {
            ulong entry = Shared.Load(table + i);
            if (entry == 0) continue;
            count++;
            Invariant.Require((entry & WindowLockBit) == 0);
            Invariant.Require(_format.IsValid(entry));
            if (_format.IsLeaf(entry, level)) CheckLeaf(entry, level, ref totals);
            else CheckLink(entry, pfn, level, ref totals);
        }
        Invariant.Require(count == _frames.TableEntries(pfn));
        Invariant.Require(level > 1 || count != 0);
    }

    private void CheckLink(ulong entry, uint pfn, int level, ref Totals totals)
    {
        uint child = TablePfn(entry);
        Invariant.Require(entry == _format.TableEntry((ulong)child << Paging.PageShift));
        CheckTable(child, pfn, level - 1, ref totals);
    }

    private void CheckLeaf(ulong entry, int level, ref Totals totals)
    {
        Invariant.Require(level <= 3);
        Invariant.Require(_format.IsLegalLeaf(entry, level));
        bool isManaged = (entry & PteFormat.Managed) != 0;
        ulong lastByte = _format.LeafFrame(entry, level) + ((1UL << Paging.LevelShift(level)) - 1);
        Invariant.Require(!isManaged || _arena.IsArena(lastByte));
        totals.Resident += PagesOf(level);
        if ((entry & PteFormat.Wired) == 0) return;
        totals.Wired += PagesOf(level);
        if (level > 1) totals.Reserve += ReserveOf(level);
        uint first = (uint)(_format.LeafFrame(entry, level) >> Paging.PageShift);
        for (uint i = 0; isManaged && i < PagesOf(level); i++) Invariant.Require(_frames.WireCount(first + i) != 0);
        // What is wired never faults again, so its emulated A, which is its read right, is never cleared.
        Invariant.Require(!_format.EmulatesAd || (entry & _format.Accessed) != 0);
    }
}
