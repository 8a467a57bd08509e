using System.Runtime.CompilerServices;
using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.PageTables;

public sealed unsafe partial class Pmap
{
    /// <summary>Maps one 4 KiB page, under the lock of its window.</summary>
    /// <remarks>
    /// On an existing mapping of the same frame the rights and the memory type become those of the request, marks that
    /// are set stay set, those of the access are added, and what is wired stays wired. A superpage that maps the frame
    /// and allows the access stays; one that does not is demoted, and a demotion without a frame removes it (the sink
    /// is told) before the answer is NoFrame.
    /// </remarks>
    /// <param name="window">The lock of the window of <paramref name="gpa"/>. A demoted 1 GiB leaf moves it.</param>
    /// <param name="gpa">Page-aligned.</param>
    /// <param name="hpa">Page-aligned.</param>
    /// <param name="request">Rights, the access that was made, kind.</param>
    /// <param name="frames">Gives a frame for a missing leaf table.</param>
    /// <param name="sink">Is told what a mapping lost.</param>
    /// <returns>
    /// Ok; Unchanged, when the mapping was there as asked for; NoFrame; Occupied, when another frame is mapped there;
    /// Denied, when the rights cannot be expressed or the access is not among them.
    /// </returns>
    public PmapStatus Enter<TSink>(ref WindowLock window, ulong gpa, ulong hpa, in LeafRequest request,
        FrameCache frames, ref TSink sink)
        where TSink : struct, IRemovalSink, allows ref struct
    {
        Invariant.Assert(window.IsHeld);
        Invariant.Assert(((gpa | hpa) & Paging.PageOffsetMask) == 0);
        Invariant.Assert(!request.Managed || _arena.IsArena(hpa));
        Invariant.Assert((hpa & ~_format.Frame) == 0);
        if (!_format.TryLeafBits(in request, 1, out ulong bits)) return PmapStatus.Denied;

        ulong parent = Shared.Load(window.Entry);
        Invariant.Assert((parent & WindowLockBit) != 0);
        if ((parent & _format.Valid) == 0) return EnterFirst(in window, gpa, hpa | bits, frames);
        if ((parent & _format.PageSize) != 0)
        {
            PmapStatus status = EnterOverSuperpage(ref window, gpa, hpa, in request, frames, ref sink);
            if (status != PmapStatus.NotMapped) return status;
            parent = Shared.Load(window.Entry);
        }
        uint tablePfn = TablePfn(parent);
        ulong* pte = TableAt(tablePfn) + IndexAt(gpa, 1);
        ulong old = Shared.Load(pte);
        if (old != 0) return Replace(pte, gpa, 1, hpa | bits, request.Prot, ref sink);
        // Absent and under the lock: nobody else writes it. Release, so that the page's content is in front of it.
        Shared.Store(pte, hpa | bits);
        AddLeafEntries(tablePfn, 1);
        if (request.Wired) CountWired(hpa | bits, 1);
        return PmapStatus.Ok;
    }

    /// <summary>The first page of a window: its leaf table is filled, then linked.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private PmapStatus EnterFirst(in WindowLock window, ulong gpa, ulong leaf, FrameCache frames)
    {
        if (!TryMakeTable(frames, window.TablePfn, 1, out uint pfn)) return PmapStatus.NoFrame;
        Shared.Store(TableAt(pfn) + IndexAt(gpa, 1), leaf);
        AddLeafEntries(pfn, 1);
        LinkLocked(window.Entry, window.TablePfn, pfn);
        if ((leaf & PteFormat.Wired) != 0) CountWired(leaf, 1);
        return PmapStatus.Ok;
    }

    /// <summary>
    /// One page of a window that a superpage maps. NotMapped: the superpage was demoted, and the page can be entered in
    /// its leaf table.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private PmapStatus EnterOverSuperpage<TSink>(ref WindowLock window, ulong gpa, ulong hpa, in LeafRequest request,
        FrameCache frames, ref TSink sink)
        where TSink : struct, IRemovalSink, allows ref struct
    {
        while (true)
        {
            ulong entry = Shared.Load(window.Entry);
            if ((entry & _format.PageSize) == 0) return PmapStatus.NotMapped;
            ulong offset = gpa & ((1UL << Paging.LevelShift(window.Level)) - 1);
            if (_format.LeafFrame(entry, window.Level) + offset != hpa) return PmapStatus.Occupied;
            bool wiredAsAsked = !request.Wired || (entry & PteFormat.Wired) != 0;
            if (wiredAsAsked && _format.Grants(entry, request.Access))
            {
                if (request.Access == Prot.None) return PmapStatus.Unchanged;
                ulong next = _format.WithAccessed(entry);
                if (next == entry) return PmapStatus.Unchanged;
                if (Shared.CompareExchange(window.Entry, next, entry) == entry) return PmapStatus.Ok;
                continue;
            }
            PmapStatus demoted = DemoteLocked(ref window, gpa, frames, ref sink, removeInstead: true);
            if (demoted != PmapStatus.Ok) return demoted;
        }
    }

    /// <summary>Changes a valid leaf that the lock's holder may change, keeping what others set beside us.</summary>
    /// <param name="cell">The leaf's cell.</param>
    /// <param name="gpa">The first byte it maps.</param>
    /// <param name="level">Its level.</param>
    /// <param name="leaf">The new leaf, as it would be entered into an absent entry.</param>
    /// <param name="prot">The rights asked for.</param>
    /// <param name="sink">Is told when rights or the modified bit go.</param>
    private PmapStatus Replace<TSink>(ulong* cell, ulong gpa, int level, ulong leaf, Prot prot, ref TSink sink)
        where TSink : struct, IRemovalSink, allows ref struct
    {
        ulong accessed = _format.Accessed;
        ulong modified = _format.Modified;
        ulong writable = _format.Writable;
        ulong old = Shared.Load(cell);
        ulong next;
        if (_format.LeafFrame(old, level) != _format.LeafFrame(leaf, level)) return PmapStatus.Occupied;
        while (true)
        {
            next = leaf | (old & (PteFormat.Wired | WindowLockBit));
            if ((old & accessed) != 0) next = _format.WithAccessed(next);
            bool maySet = (prot & Prot.Write) != 0 && (old & modified) != 0;
            if (maySet) next = (next & ~PteFormat.WriteParked) | modified | writable;
            if (next == old) return PmapStatus.Unchanged;
            ulong found = Shared.CompareExchange(cell, next, old);
            if (found == old) break;
            old = found;        // A or A and M came, or A went: nothing else can happen under the lock.
        }
        if ((next & ~old & PteFormat.Wired) != 0) CountWired(next, level);
        bool lostModified = (old & ~next & modified) != 0;
        if (lostModified && (old & PteFormat.Managed) != 0) DirtyFrames(old, level);
        ulong cache = level == 1 ? _format.CachePage : _format.CacheSuperpage;
        bool lostRights = (_format.ProtOf(old) & ~_format.ProtOf(next)) != 0;
        // A TLB may know a write right from before it was parked.
        lostRights |= (old & PteFormat.WriteParked) != 0 && (next & (PteFormat.WriteParked | writable)) == 0;
        if (lostModified || lostRights || ((old ^ next) & cache) != 0) sink.Changed(gpa, old & ~WindowLockBit, level);
        return PmapStatus.Ok;
    }
}
