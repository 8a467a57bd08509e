using Pagoda.Core;

namespace Pagoda.AddressSpace;

/// <summary>Who makes room in an arena when faults find no frame: one an arena, set in its table of spaces.</summary>
/// <remarks>
/// Called by faulting threads outside every consumer slot, without a lock and without a Busy page: a call may take as
/// long as writing pages out takes.
/// </remarks>
[AllocationFree]
public abstract class MemoryRelief
{
    /// <summary>Is there less room than this many frames need?</summary>
    /// <param name="frames">Frames that the caller does not have yet.</param>
    public abstract bool IsShort(int frames);

    /// <summary>Is there room for this many frames beyond what is needed, without anything being taken back?</summary>
    /// <param name="frames">Frames that the caller could do without.</param>
    public abstract bool HasRoom(int frames);

    /// <summary>Makes room for that many frames, or for as many as can be.</summary>
    /// <returns>Frames that were freed, by this call or one that was waited for; 0 when there is no hope.</returns>
    public abstract int Relieve(int frames);

    /// <summary>Pages were said to be cold: they are to go before others.</summary>
    public abstract void Cooled();

    /// <summary>Takes pages of one guest, which is over its maximum.</summary>
    /// <param name="space">The guest's space.</param>
    /// <param name="frames">Pages to take.</param>
    /// <returns>Frames that were freed; 0 when there is no hope.</returns>
    public abstract int Relieve(Vmspace space, int frames);

    /// <summary>A page was lost: its pager could not read it. Every later access to it ends in Poisoned.</summary>
    /// <param name="memory">The object.</param>
    /// <param name="page">The page's index in it.</param>
    public abstract void PageLost(VmObject memory, ulong page);
}
