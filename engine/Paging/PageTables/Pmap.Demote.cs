using System.Runtime.CompilerServices;
using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.PageTables;

public sealed unsafe partial class Pmap
{
    /// <summary>
    /// Turns the superpage that maps an address into 512 leaves of one level less with the same rights and marks.
    /// Inside a consumer slot; takes the window's lock. Needs no shootdown: the old translation is still right.
    /// </summary>
    /// <param name="gpa">Any address below <see cref="GpaLimit"/>.</param>
    /// <param name="frames">Gives the frame of the new table.</param>
    /// <param name="sink">Is told of the removal when there is no frame.</param>
    /// <returns>
    /// Ok; Unchanged, when the window has leaves of 4 KiB; NotMapped; NoFrame, when the whole mapping was removed
    /// instead. A wired superpage has its frames in reserve and never comes to that.
    /// </returns>
    public PmapStatus Demote<TSink>(ulong gpa, FrameCache frames, ref TSink sink)
        where TSink : struct, IRemovalSink, allows ref struct
    {
        if (gpa >= _limit) return PmapStatus.NotMapped;
        if (!TryLockExisting(gpa, out WindowLock window, out _)) return PmapStatus.NotMapped;
        ulong entry = Shared.Load(window.Entry);
        PmapStatus status = !_format.IsValid(entry) ? PmapStatus.NotMapped
            : (entry & _format.PageSize) == 0 ? PmapStatus.Unchanged
            : DemoteLocked(ref window, gpa, frames, ref sink, removeInstead: true);
        Unlock(window);
        return status;
    }

    /// <summary>
    /// Demotes the superpage whose lock is held. After a 1 GiB leaf the lock is that of the 2 MiB window.
    /// </summary>
    /// <param name="window">The superpage's lock.</param>
    /// <param name="gpa">The address whose window the lock shall be of afterwards.</param>
    /// <param name="frames">Gives the frame of the new table.</param>
    /// <param name="sink">Is told of the removal.</param>
    /// <param name="removeInstead">Without a frame the mapping is removed; otherwise it stays.</param>
    /// <returns>Ok or NoFrame.</returns>
    private PmapStatus DemoteLocked<TSink>(ref WindowLock window, ulong gpa, FrameCache frames, ref TSink sink,
        bool removeInstead)
        where TSink : struct, IRemovalSink, allows ref struct
    {
        int level = window.Level;
        ulong entry = Shared.Load(window.Entry);
        Invariant.Require(_format.IsValid(entry));
        Invariant.Require((entry & _format.PageSize) != 0);
        if (!TryTakeDemotionTable(entry, in window, frames, out uint pfn))
        {
            if (removeInstead) RemoveSuperpage(in window, gpa, frames, ref sink);
            return PmapStatus.NoFrame;
        }
        // RW means M, so only A can change between this read and the exchange, and a lost or kept A is a hint.
        int index = IndexAt(gpa, level - 1);
        ulong* table = TableAt(pfn);
        PteVector.FillRun(table, Paging.EntriesPerTable, _format.Demoted(entry, level),
            1UL << Paging.LevelShift(level - 1));
        if (level == 3) table[index] |= WindowLockBit;      // The lock moves down with the window it is for.
        ulong linked = _format.TableEntry((ulong)pfn << Paging.PageShift);
        ulong old = Shared.Exchange(window.Entry, level == 3 ? linked : linked | WindowLockBit);
        Invariant.Assert(((old ^ entry) & (_format.Writable | _format.Modified) & ~_format.AccessedGroup) == 0);
        if (level == 3) window = new WindowLock { Entry = table + index, TablePfn = pfn, Level = 2 };
        Shared.Increment(&_counters->TablePages);
        Shared.Increment(&_counters->Demotions);
        return PmapStatus.Ok;
    }

    /// <summary>The table page that a demotion fills: a wired superpage's own, or a new one.</summary>
    private bool TryTakeDemotionTable(ulong entry, in WindowLock window, FrameCache frames, out uint pfn)
    {
        int level = window.Level - 1;
        if ((entry & PteFormat.Wired) == 0)
        {
            if (!TryMakeTable(frames, window.TablePfn, level, out pfn)) return false;
        }
        else
        {
            pfn = PopReserve();
            FrameRecord* record = _frames.Record(pfn);
            Shared.Store(&record->Owner, window.TablePfn);
            Shared.Store(&record->Index, (uint)level << FrameRecord.LevelShift);
        }
        _frames.AddTableEntries(pfn, Paging.EntriesPerTable);
        return true;
    }
}
