using System.Runtime.CompilerServices;
using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.PageTables;

public sealed unsafe partial class Pmap
{
    /// <summary>
    /// Takes the lock of the window of an address, after it has built the tables above its PDE. For work in several
    /// steps: lock, probe, claim page words, unlock; later lock, check, <see cref="Enter"/>, unlock.
    /// </summary>
    /// <remarks>
    /// Inside a consumer slot. Waits for another holder, which is short: a holder waits for nothing. A caller that
    /// gives up afterwards leaves at most empty upper tables behind, which the next removal around there unlinks.
    /// </remarks>
    /// <param name="gpa">Any address of the window, below <see cref="GpaLimit"/>.</param>
    /// <param name="frames">Gives frames for missing tables.</param>
    /// <param name="window">The lock; not held unless the result is Ok.</param>
    /// <returns>Ok or NoFrame.</returns>
    public PmapStatus LockWindow(ulong gpa, FrameCache frames, out WindowLock window)
    {
        Invariant.Require(gpa < _limit);
        ulong valid = _format.Valid;
        ulong frame = _format.Frame;
        ulong pageSize = _format.PageSize;
        int levels = _format.Levels;
        byte* directMap = _base;
        var wait = default(Wait);
        while (true)
        {
            uint pfn = _rootPfn;
            ulong* entry = _root + IndexAt(gpa, levels);
            ulong value = Shared.Load(entry);
            int level = levels;
            for (; level > 2; level--)
            {
                if ((value & valid) == 0) break;
                if (level == 3 && (value & pageSize) != 0) break;
                pfn = (uint)((value & frame) >> Paging.PageShift);
                entry = (ulong*)(directMap + (value & frame)) + IndexAt(gpa, level - 1);
                value = Shared.Load(entry);
            }
            if ((value & WindowLockBit) == 0)
            {
                bool missing = level > 2 && (value & valid) == 0;
                if (missing)
                {
                    if (TryLinkTable(entry, pfn, level - 1, frames)) continue;
                    window = default;
                    return PmapStatus.NoFrame;
                }
                if (Shared.CompareExchange(entry, value | WindowLockBit, value) == value)
                {
                    window = new WindowLock { Entry = entry, TablePfn = pfn, Level = level };
                    return PmapStatus.Ok;
                }
                continue;
            }
            // Walk again each time: the table that holds the lock may have been unlinked, with its locks kept for good.
            wait.Step();
        }
    }

    /// <summary>Releases the lock.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Unlock(in WindowLock window)
    {
        ulong value = Shared.Load(window.Entry);
        Invariant.Require((value & WindowLockBit) != 0);
        // A leaf may have A set beside us, so it takes the locked operation. An absent entry or a table's is ours
        // alone.
        if ((value & _format.PageSize) != 0) Shared.And(window.Entry, ~WindowLockBit);
        else Shared.Store(window.Entry, value & ~WindowLockBit);
    }

    /// <summary>Takes the lock of the window of an address if anything is there; builds nothing.</summary>
    /// <param name="gpa">Any address of the window, below the limit.</param>
    /// <param name="window">The lock; not held when there is nothing.</param>
    /// <param name="next">Nothing there: the first address that may have something again.</param>
    private bool TryLockExisting(ulong gpa, out WindowLock window, out ulong next)
    {
        ulong valid = _format.Valid;
        ulong pageSize = _format.PageSize;
        var wait = default(Wait);
        while (true)
        {
            uint pfn = _rootPfn;
            int level = _format.Levels;
            ulong* entry = _root + IndexAt(gpa, level);
            ulong value = Shared.Load(entry);
            while (level > 2 && (value & valid) != 0 && !(level == 3 && (value & pageSize) != 0))
            {
                pfn = TablePfn(value);
                level--;
                entry = TableAt(pfn) + IndexAt(gpa, level);
                value = Shared.Load(entry);
            }
            if (value == 0)
            {
                window = default;
                next = NextBoundary(gpa, level);
                return false;
            }
            // Absent but locked: its holder may be entering something it was allowed to before we came. Wait for it.
            if ((value & WindowLockBit) == 0
                && Shared.CompareExchange(entry, value | WindowLockBit, value) == value)
            {
                window = new WindowLock { Entry = entry, TablePfn = pfn, Level = level };
                next = gpa;
                return true;
            }
            wait.Step();
        }
    }
}
