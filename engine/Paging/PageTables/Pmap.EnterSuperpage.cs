using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.PageTables;

public sealed unsafe partial class Pmap
{
    /// <summary>
    /// Maps 2 MiB or 1 GiB by one leaf. Inside a consumer slot; takes the window's lock, or for 1 GiB that of its
    /// PDPTE.
    /// </summary>
    /// <remarks>
    /// A superpage is writable only with M: the write right is entered if the access was a write, the entry is wired or
    /// the memory is unmanaged, and parked otherwise. On a superpage of the same frame the rights become those of the
    /// request, as <see cref="Enter"/> says for a page; so a write to a read-only one may be answered by entering it
    /// again with that access.
    /// </remarks>
    /// <param name="gpa">Aligned to the superpage, below <see cref="GpaLimit"/>.</param>
    /// <param name="hpa">Aligned to the superpage.</param>
    /// <param name="level">2 or 3: 2 MiB or 1 GiB.</param>
    /// <param name="request">Rights, the access that was made, kind.</param>
    /// <param name="frames">Gives frames for missing tables, and for the reserve of a wired superpage.</param>
    /// <param name="sink">Is told what an existing mapping lost, and of an empty table that was in the way.</param>
    /// <returns>
    /// Ok; Unchanged; NoFrame; Occupied, when smaller leaves, or another frame, are mapped there; Denied, when the pmap
    /// has no superpages of that level, or for the reasons of <see cref="Enter"/>.
    /// </returns>
    public PmapStatus EnterSuperpage<TSink>(ulong gpa, ulong hpa, int level, in LeafRequest request,
        FrameCache frames, ref TSink sink)
        where TSink : struct, IRemovalSink, allows ref struct
    {
        if (!(level == 2 ? _format.Superpages : _format.Gigapages)) return PmapStatus.Denied;
        PmapStatus status = LockSuperpage(gpa, level, frames, ref sink, out WindowLock window);
        if (status != PmapStatus.Ok) return status;
        status = EnterSuperpage(ref window, gpa, hpa, level, in request, frames, ref sink);
        Unlock(in window);
        return status;
    }

    /// <summary>
    /// Takes the lock for a superpage of 2 MiB, as <see cref="LockWindow"/> does, or of 1 GiB, after it has built the
    /// tables above. Inside a consumer slot.
    /// </summary>
    /// <param name="gpa">Any address of it, below <see cref="GpaLimit"/>.</param>
    /// <param name="level">2 or 3.</param>
    /// <param name="frames">Gives frames for missing tables.</param>
    /// <param name="sink">Is told of an empty table that was in the way.</param>
    /// <param name="window">The lock; not held unless the result is Ok.</param>
    /// <returns>Ok; NoFrame; Occupied, when a table with entries is where a 1 GiB leaf would be.</returns>
    public PmapStatus LockSuperpage<TSink>(ulong gpa, int level, FrameCache frames, ref TSink sink,
        out WindowLock window)
        where TSink : struct, IRemovalSink, allows ref struct
    {
        Invariant.Require(level is 2 or 3);
        Invariant.Require(gpa < _limit);
        return level == 2
            ? LockWindow(gpa, frames, out window)
            : LockGigapage(gpa, frames, ref sink, out window);
    }

    /// <summary>Maps 2 MiB or 1 GiB by one leaf under the lock that <see cref="LockSuperpage"/> took.</summary>
    /// <param name="window">The lock. A demoted 1 GiB leaf moves it.</param>
    /// <param name="gpa">Aligned to the superpage.</param>
    /// <param name="hpa">Aligned to the superpage.</param>
    /// <param name="level">2 or 3: 2 MiB or 1 GiB.</param>
    /// <param name="request">Rights, the access that was made, kind.</param>
    /// <param name="frames">Gives frames for the reserve of a wired superpage.</param>
    /// <param name="sink">Is told what an existing mapping lost.</param>
    /// <returns>As without the lock.</returns>
    public PmapStatus EnterSuperpage<TSink>(ref WindowLock window, ulong gpa, ulong hpa, int level,
        in LeafRequest request, FrameCache frames, ref TSink sink)
        where TSink : struct, IRemovalSink, allows ref struct
    {
        ulong offsetMask = (1UL << Paging.LevelShift(level)) - 1;
        Invariant.Assert(window.IsHeld);
        Invariant.Require(((gpa | hpa) & offsetMask) == 0);
        Invariant.Assert(!request.Managed || _arena.IsArena(hpa + offsetMask));
        if (!(level == 2 ? _format.Superpages : _format.Gigapages)) return PmapStatus.Denied;
        if (!_format.TryLeafBits(in request, level, out ulong bits)) return PmapStatus.Denied;
        return window.Level == level
            ? EnterSuperpageLocked(in window, gpa, hpa | bits, in request, frames, ref sink)
            : EnterUnderGigapage(ref window, gpa, hpa | bits, in request, frames, ref sink);
    }

    private PmapStatus EnterSuperpageLocked<TSink>(in WindowLock window, ulong gpa, ulong leaf,
        in LeafRequest request, FrameCache frames, ref TSink sink)
        where TSink : struct, IRemovalSink, allows ref struct
    {
        ulong entry = Shared.Load(window.Entry);
        bool isAbsent = !_format.IsValid(entry);
        if (!isAbsent && (entry & _format.PageSize) == 0) return PmapStatus.Occupied;
        int level = window.Level;
        if (!isAbsent && _format.LeafFrame(entry, level) != _format.LeafFrame(leaf, level)) return PmapStatus.Occupied;
        bool becomesWired = request.Wired && (entry & PteFormat.Wired) == 0;
        if (becomesWired && !TryReserve(level, frames)) return PmapStatus.NoFrame;
        if (!isAbsent) return Replace(window.Entry, gpa, level, leaf, request.Prot, ref sink);
        Shared.Store(window.Entry, leaf | WindowLockBit);
        _frames.AddTableEntries(window.TablePfn, 1);
        if (becomesWired) CountWired(leaf, level);
        return PmapStatus.Ok;
    }

    /// <summary>2 MiB of what a 1 GiB leaf maps.</summary>
    private PmapStatus EnterUnderGigapage<TSink>(ref WindowLock window, ulong gpa, ulong leaf, in LeafRequest request,
        FrameCache frames, ref TSink sink)
        where TSink : struct, IRemovalSink, allows ref struct
    {
        ulong entry = Shared.Load(window.Entry);
        ulong offset = gpa & ((1UL << Paging.GigapageShift) - 1);
        if (_format.LeafFrame(entry, 3) + offset != _format.LeafFrame(leaf, 2)) return PmapStatus.Occupied;
        bool wiredAsAsked = !request.Wired || (entry & PteFormat.Wired) != 0;
        bool isAccessed = request.Access == Prot.None || (entry & _format.Accessed) != 0;
        if (wiredAsAsked && isAccessed && _format.Grants(entry, request.Access)) return PmapStatus.Unchanged;
        PmapStatus status = DemoteLocked(ref window, gpa, frames, ref sink, removeInstead: true);
        if (status != PmapStatus.Ok) return status;
        return EnterSuperpageLocked(in window, gpa, leaf, in request, frames, ref sink);
    }

    /// <summary>Takes the lock of a PDPTE that is absent or a leaf, after it has built the tables above.</summary>
    private PmapStatus LockGigapage<TSink>(ulong gpa, FrameCache frames, ref TSink sink, out WindowLock window)
        where TSink : struct, IRemovalSink, allows ref struct
    {
        var wait = default(Wait);
        window = default;
        while (true)
        {
            uint pfn = _rootPfn;
            int level = _format.Levels;
            ulong* entry = _root + IndexAt(gpa, level);
            ulong value = Shared.Load(entry);
            while (level > 3 && _format.IsValid(value))
            {
                pfn = TablePfn(value);
                level--;
                entry = TableAt(pfn) + IndexAt(gpa, level);
                value = Shared.Load(entry);
            }
            if ((value & WindowLockBit) != 0)
            {
                wait.Step();
            }
            else if (level > 3)
            {
                if (!TryLinkTable(entry, pfn, level - 1, frames)) return PmapStatus.NoFrame;
            }
            else if (_format.IsValid(value) && (value & _format.PageSize) == 0)
            {
                // A table: in the way unless it is empty, as a fault that gave up may have left it.
                if (!TryUnlinkTable(entry, pfn, TablePfn(value), ref sink)) return PmapStatus.Occupied;
            }
            else if (Shared.CompareExchange(entry, value | WindowLockBit, value) == value)
            {
                window = new WindowLock { Entry = entry, TablePfn = pfn, Level = 3 };
                return PmapStatus.Ok;
            }
        }
    }
}
