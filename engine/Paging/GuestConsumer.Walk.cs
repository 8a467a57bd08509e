using Pagoda.Core;
using Pagoda.PageTables;

namespace Pagoda;

/// <summary>The walk that fills a TLB, for hosts with a processor of their own.</summary>
public sealed unsafe partial class GuestConsumer
{
    /// <summary>
    /// Walks the nested tables as hardware does for one access, inside the slot: accessed and dirty bits are set in the
    /// same step. The translation may be cached until <see cref="Enter"/> or <see cref="Poll"/> asks for a flush.
    /// </summary>
    /// <param name="gpa">The byte address.</param>
    /// <param name="access">The access.</param>
    /// <param name="hpa">Where the byte lies; at or above the arena's length it is a device's.</param>
    /// <param name="granted">
    /// The accesses to the page that need no other walk: a write is among them only when the page is marked written.
    /// </param>
    /// <returns>False: submit a fault.</returns>
    [AllocationFree]
    public bool TryWalk(ulong gpa, Prot access, out ulong hpa, out Prot granted)
    {
        Invariant.Assert(_inside);
        var memory = new ArenaMemory(_directMap, _arenaBytes);
        Walker.Walk(ref memory, in _walkFormat, gpa, access, user: true, WalkKind.FinalAccess, out WalkResult result);
        hpa = result.Hpa;
        granted = result.Granted;
        if (result.Outcome == WalkOutcome.Ok) return true;
        // The pmap makes no entry that a processor refuses, and its tables lie in the arena.
        Invariant.Require(result.Outcome is not (WalkOutcome.Misconfiguration or WalkOutcome.Outside));
        hpa = 0;
        return false;
    }
}
