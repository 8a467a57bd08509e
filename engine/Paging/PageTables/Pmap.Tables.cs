using System.Runtime.CompilerServices;
using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.PageTables;

public sealed unsafe partial class Pmap
{
    /// <summary>Takes a zeroed frame as a table; false without one. It is not linked yet.</summary>
    private bool TryMakeTable(FrameCache frames, uint parent, int level, out uint pfn)
    {
        if (!frames.TryTake(out pfn)) return false;
        _frames.ToTable(pfn, parent, level);
        return true;
    }

    /// <summary>Links an empty table of level 2 or above under an absent entry.</summary>
    /// <returns>False when there is no frame. True says nothing about who linked it: walk again.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryLinkTable(ulong* parentEntry, uint parentPfn, int level, FrameCache frames)
    {
        Invariant.Assert(level >= 2);
        if (!TryMakeTable(frames, parentPfn, level, out uint pfn)) return false;
        // Born with a count of one, ours, until its parent has counted it: somebody may use the table, empty it and
        // want to unlink it before that, and would take away from the parent's count what is not there yet.
        _frames.AddTableEntries(pfn, 1);
        ulong entry = _format.TableEntry((ulong)pfn << Paging.PageShift);
        // Locked, and therefore also the release that puts the zeroed page and its record in front of the link.
        if (Shared.CompareExchange(parentEntry, entry, 0) != 0)
        {
            frames.Give(pfn);       // Somebody else linked one, or locked the entry for a 1 GiB leaf or for good.
            return true;
        }
        _frames.AddTableEntries(parentPfn, 1);
        _frames.AddTableEntries(pfn, -1);
        Shared.Increment(&_counters->TablePages);
        return true;
    }

    /// <summary>Links a filled table under an entry whose lock the caller holds and keeps.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void LinkLocked(ulong* entry, uint parentPfn, uint pfn)
    {
        // Release: the table is whole before a walker can reach it. Nobody else writes an absent locked entry.
        ulong link = _format.TableEntry((ulong)pfn << Paging.PageShift) | WindowLockBit;
        if (Planted.Is(PlantedFault.LinkNotRelease)) Planted.PlainStore(entry, link);
        else Shared.Store(entry, link);
        _frames.AddTableEntries(parentPfn, 1);
        Shared.Increment(&_counters->TablePages);
    }

    /// <summary>Unlinks an empty leaf table under its window's lock.</summary>
    private void UnlinkLeafTable<TSink>(in WindowLock window, uint pfn, ref TSink sink)
        where TSink : struct, IRemovalSink, allows ref struct
    {
        Invariant.Assert(_frames.TableEntries(pfn) == 0);
        Shared.Exchange(window.Entry, WindowLockBit);
        _frames.AddTableEntries(window.TablePfn, -1);
        Shared.Add(&_counters->TablePages, ulong.MaxValue);
        sink.TablePage(pfn);
    }

    /// <summary>Unlinks the empty tables of level 2 and above on the path to an address, from the bottom up.</summary>
    private void Prune<TSink>(ulong gpa, ref TSink sink) where TSink : struct, IRemovalSink, allows ref struct
    {
        for (int level = 2; level < _format.Levels; level++)
        {
            uint pfn = FindTable(gpa, level, out ulong* parentEntry, out uint parentPfn);
            // No table: perhaps the one above lost its last entry just now.
            if (pfn != 0 && !TryUnlinkTable(parentEntry, parentPfn, pfn, ref sink)) return;
        }
    }

    /// <summary>Finds the linked table of a level on the path to an address; 0 for none.</summary>
    private uint FindTable(ulong gpa, int level, out ulong* parentEntry, out uint parentPfn)
    {
        uint pfn = _rootPfn;
        ulong* entry = null;
        parentPfn = 0;
        for (int at = _format.Levels; at > level; at--)
        {
            parentPfn = pfn;
            entry = TableAt(pfn) + IndexAt(gpa, at);
            ulong value = Shared.Load(entry);
            if (!_format.IsValid(value) || _format.IsLeaf(value, at))
            {
                parentEntry = null;
                return 0;
            }
            pfn = TablePfn(value);
        }
        parentEntry = entry;
        return pfn;
    }

    /// <summary>Unlinks one table of level 2 or above if it is empty and nobody is about to change that.</summary>
    /// <remarks>
    /// Locks all its entries first, without waiting: one that is taken belongs to somebody who either enters something,
    /// or prunes here after it unlocked. The locks of a table that was unlinked are never released.
    /// </remarks>
    /// <returns>True when it was unlinked.</returns>
    private bool TryUnlinkTable<TSink>(ulong* parentEntry, uint parentPfn, uint pfn, ref TSink sink)
        where TSink : struct, IRemovalSink, allows ref struct
    {
        if (_frames.TableEntries(pfn) != 0) return false;
        ulong* table = TableAt(pfn);
        for (int i = 0; i < Paging.EntriesPerTable; i++)
        {
            if (Shared.CompareExchange(table + i, WindowLockBit, 0) == 0) continue;
            while (i-- > 0) Shared.Store(table + i, 0);
            return false;
        }
        // Not counted any more before it is gone: whoever links the next one there must not count past the length.
        _frames.AddTableEntries(parentPfn, -1);
        ulong linked = _format.TableEntry((ulong)pfn << Paging.PageShift);
        ulong found = Shared.CompareExchange(parentEntry, 0, linked);
        Invariant.Require(found == linked);     // With all its entries locked, nobody else can unlink it.
        Shared.Add(&_counters->TablePages, ulong.MaxValue);
        sink.TablePage(pfn);
        return true;
    }

    /// <summary>Adds to a leaf table's count of entries, under its window's lock.</summary>
    /// <returns>The new count.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int AddLeafEntries(uint pfn, int count)
    {
        // One writer, the lock's holder: a load and a release store, where upper tables need the locked operation.
        uint* index = &_frames.Record(pfn)->Index;
        uint next = Shared.Load(index) + (uint)count;
        Shared.Store(index, next);
        int entries = (int)(next & FrameRecord.EntryCountMask);
        Invariant.Assert(entries <= Paging.EntriesPerTable);
        return entries;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void AddWired(long pages) => Shared.Add(&_counters->WiredPages, (ulong)pages);

    /// <summary>Moves a removed or cleared modified bit to the frames it stood for.</summary>
    private void DirtyFrames(ulong entry, int level)
    {
        uint first = (uint)(_format.LeafFrame(entry, level) >> Paging.PageShift);
        ulong pages = PagesOf(level);
        for (uint i = 0; i < pages; i++) _frames.SetDirty(first + i);
    }
}
