using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.PageTables;

// Table pages that wired superpages hold back, so that their demotion never fails. They are all alike, so the pmap
// keeps them in one list, linked through their first words: one for a 2 MiB leaf; one for a 1 GiB leaf and one for each
// of the 512 that it demotes to.
public sealed unsafe partial class Pmap
{
    private static ulong ReserveOf(int level) => level == 2 ? 1 : 1 + (ulong)Paging.EntriesPerTable;

    /// <summary>Adds what a superpage that becomes wired needs; all or, when frames run out, nothing.</summary>
    private bool TryReserve(int level, FrameCache frames)
    {
        ulong wanted = ReserveOf(level);
        for (ulong i = 0; i < wanted; i++)
        {
            if (TryMakeTable(frames, 0, 0, out uint pfn))
            {
                PushReserve(pfn);
                continue;
            }
            ReleaseReserve(i, frames);
            return false;
        }
        return true;
    }

    /// <summary>Gives pages of the reserve back.</summary>
    private void ReleaseReserve(ulong pages, FrameCache? frames)
    {
        for (ulong i = 0; i < pages; i++)
        {
            uint pfn = PopReserve();
            if (frames is null) _arena.Allocator.Give(pfn, 0);
            else frames.Give(pfn);
        }
    }

    private void PushReserve(uint pfn)
    {
        var cell = new SpinCell(&_counters->ReserveLock);
        cell.Acquire();
        *TableAt(pfn) = _counters->ReserveFirst;
        _counters->ReserveFirst = pfn;
        Shared.Store(&_counters->ReservePages, _counters->ReservePages + 1);
        cell.Release();
    }

    /// <summary>Takes a page that its superpage put there. The caller fills it whole.</summary>
    private uint PopReserve()
    {
        var cell = new SpinCell(&_counters->ReserveLock);
        cell.Acquire();
        uint pfn = _counters->ReserveFirst;
        Invariant.Require(pfn != 0);
        _counters->ReserveFirst = (uint)*TableAt(pfn);
        Shared.Store(&_counters->ReservePages, _counters->ReservePages - 1);
        cell.Release();
        return pfn;
    }
}
