using Pagoda.Core;

namespace Pagoda.PageTables;

public sealed unsafe partial class Pmap
{
    /// <summary>
    /// Does for one access what the processor would, where it keeps no accessed and dirty bits: sets A for a read or a
    /// fetch, A and M together for a write. Lock-free, inside a consumer slot; needs no shootdown, since rights only
    /// grow.
    /// </summary>
    /// <remarks>
    /// One compare-and-swap of the entry as it was read: hardware never sees a write right without a read right,
    /// and an entry that was removed or lost its rights meanwhile does not come back. The caller fills no
    /// TLB from the entry it saw before; it walks again.
    /// </remarks>
    /// <param name="gpa">Any address.</param>
    /// <param name="access">What the guest did. A write that also reads counts as a write.</param>
    /// <returns>
    /// NotEmulating, NotMapped and Denied are for the full fault path, WriteParked for
    /// <see cref="EmulateParkedWrite"/>; after the others the guest's instruction runs again.
    /// </returns>
    public AdEmulation EmulateAccess(ulong gpa, Prot access)
    {
        if (!_format.EmulatesAd) return AdEmulation.NotEmulating;
        ulong modified = (access & Prot.Write) != 0 ? _format.Modified : 0;
        while (true)
        {
            ulong entry = FindLeaf(gpa, out ulong* cell, out int level);
            if (entry == 0) return AdEmulation.NotMapped;
            if (!_format.Grants(entry, access))
            {
                return _format.GrantsUnparked(entry, access) ? AdEmulation.WriteParked : AdEmulation.Denied;
            }
            ulong next = _format.WithAccessed(entry) | modified;
            if (next == entry) return AdEmulation.AlreadySet;
            // A writable superpage has A and M: only one whose entry lacks the right gets here, by a read or fetch.
            Invariant.Assert(level == 1 || modified == 0);
            if (Planted.Is(PlantedFault.EmulationInTwoSteps) && modified != 0)
            {
                if (Shared.CompareExchange(cell, entry | modified, entry) != entry) continue;
                entry |= modified;
            }
            if (Shared.CompareExchange(cell, next, entry) != entry) continue;
            if (level > 1) return AdEmulation.SetSuperpageAccessed;
            return modified != 0 ? AdEmulation.SetModified : AdEmulation.SetAccessed;
        }
    }
}
