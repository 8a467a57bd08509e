using Pagoda.AddressSpace;
using Pagoda.Core;

namespace Pagoda.Reclaim;

/// <summary>A host that wants to know when memory is short. Called by who met it, outside every slot.</summary>
/// <remarks>It must not call into the guests of the arena: the caller may own pages that others wait for.</remarks>
[AllocationFree]
public interface IPressureListener
{
    /// <summary>Reclaim stopped without having made the room that was wanted.</summary>
    void Pressure(ReclaimResult result);

    /// <summary>A page was lost: its pager could not read it. Every later access to it ends in Poisoned.</summary>
    /// <param name="memory">The object.</param>
    /// <param name="page">The page's index in it.</param>
    void PageLost(VmObject memory, ulong page);
}
