using Pagoda.Core;

namespace Pagoda.PageTables;

public sealed unsafe partial class Pmap
{
    /// <summary>
    /// Clears the accessed bit of the leaf that maps an address. Lock-free, inside a consumer slot, and without a
    /// shootdown: a TLB that keeps the entry makes the page look idle, which costs precision only.
    /// </summary>
    /// <remarks>
    /// Under emulation A does not go without M, and X is parked, so that hardware sees no right or a legal set of them.
    /// If M went, the frame's dirty flag is set <i>after</i> it: whoever takes the flag before that has his own
    /// grace period before him, and we are a consumer. Wired and unmanaged leaves keep their bits there, because they
    /// must never fault again. A 2 MiB or 1 GiB leaf that was written parks its write right too, under its window's
    /// lock.
    /// </remarks>
    /// <param name="gpa">Any address.</param>
    /// <param name="movedDirty">M was cleared, and moved to the frame.</param>
    /// <returns>True when the leaf was accessed.</returns>
    public bool ClearReferenced(ulong gpa, out bool movedDirty)
    {
        movedDirty = false;
        while (true)
        {
            ulong entry = FindLeaf(gpa, out ulong* cell, out int level);
            if (entry == 0) return false;
            if (level > 1 && _format.EmulatesAd && (entry & _format.Modified) != 0)
                return ClearReferencedSuperpage(gpa, out movedDirty);
            if (TryClearReferenced(cell, entry, level, out bool referenced, out movedDirty)) return referenced;
        }
    }

    /// <summary>One attempt at one leaf; false when it changed meanwhile.</summary>
    private bool TryClearReferenced(ulong* cell, ulong entry, int level, out bool referenced, out bool movedDirty)
    {
        referenced = (entry & _format.Accessed) != 0;
        movedDirty = false;
        if (!referenced || KeepsAccessed(entry)) return true;
        ulong next = _format.WithoutAccessed(entry);
        if (Planted.Is(PlantedFault.SweepKeepsModified)) next |= entry & _format.Modified;
        movedDirty = (entry & ~next & _format.Modified) != 0;
        if (Planted.Is(PlantedFault.SweepMarksFirst) && movedDirty) DirtyFrames(entry, level);
        if (Shared.CompareExchange(cell, next, entry) != entry) return false;
        if (Planted.Is(PlantedFault.SweepMarksFirst) || Planted.Is(PlantedFault.SweepDropsModified)) return true;
        if (movedDirty) DirtyFrames(entry, level);
        return true;
    }

    /// <summary>The leaf must never fault again, so an emulated A, which is its read right, stays.</summary>
    private bool KeepsAccessed(ulong entry) =>
        _format.EmulatesAd && ((entry & PteFormat.Wired) != 0 || (entry & PteFormat.Managed) == 0);

    private bool ClearReferencedSuperpage(ulong gpa, out bool movedDirty)
    {
        movedDirty = false;
        bool referenced = false;
        if (!TryLockExisting(gpa, out WindowLock window, out _)) return false;
        ulong entry = Shared.Load(window.Entry);
        ulong modified = _format.Modified;
        // Demoted or removed while we came: what is there now is another sweep's business.
        while (_format.IsValid(entry) && (entry & _format.PageSize) != 0)
        {
            referenced = (entry & _format.Accessed) != 0;
            if (!referenced || KeepsAccessed(entry)) break;
            // RW means M on a superpage, so the one goes with the other. TLBs may go on writing until the dirty flag is
            // taken, like after any moved M; whoever takes a write right asks for a shootdown in any case.
            ulong next = _format.WithWriteParked(_format.WithoutAccessed(entry));
            ulong found = Shared.CompareExchange(window.Entry, next, entry);
            if (found == entry)
            {
                movedDirty = (entry & modified) != 0;
                if (movedDirty) DirtyFrames(entry, window.Level);
                break;
            }
            entry = found;
        }
        Unlock(window);
        return referenced;
    }
}
