using Pagoda.Core;
using Pagoda.Tlb;

namespace Pagoda.AddressSpace;

/// <summary>What reclaim may do with a space at a moment.</summary>
internal enum ReclaimLock : byte
{
    /// <summary>The map stays as it is until the lock is given back; the control slot is entered.</summary>
    Taken,

    /// <summary>Somebody changes the map: pages may be mapped that it does not show any more.</summary>
    Busy,

    /// <summary>The space was destroyed, and maps nothing.</summary>
    Gone,
}

/// <summary>What taking pages away needs. It never waits for a change of the map: changes wait for it.</summary>
public sealed unsafe partial class Vmspace
{
    /// <summary>The walker of whoever holds the change lock.</summary>
    [AllocationFree]
    internal VmspaceConsumer Control => _control;

    /// <summary>Tries to keep the map from changing, and enters the control slot.</summary>
    [AllocationFree]
    internal ReclaimLock TryLockForReclaim()
    {
        // No wait: a change under way may itself wait for pages that the caller owns.
        if (Shared.CompareExchange(_changeLock, 1, 0) != 0) return ReclaimLock.Busy;
        if (_destroyed)
        {
            UnlockChanges();
            return ReclaimLock.Gone;
        }
        Limbo.Hasten();
        Limbo.Recycle();
        if (!Planted.Is(PlantedFault.AgingOutsideSlot)) EnterControl();
        return ReclaimLock.Taken;
    }

    /// <summary>Leaves the slot, queues the table pages that were unlinked, and lets the map change again.</summary>
    [AllocationFree]
    internal void UnlockAfterReclaim(ref ShootdownGather gather)
    {
        LeaveControl();
        gather.Commit();
        UnlockChanges();
    }

    /// <summary>Pages lose mappings but stay in their object: marks of writes are not in the tables alone.</summary>
    [AllocationFree]
    internal void NoteUnmappedMarks() => Shared.Store(_changeLock + UnmappedMarksCell, 1);
}
