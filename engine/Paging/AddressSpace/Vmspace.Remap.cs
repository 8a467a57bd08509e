using System;
using Pagoda.Core;

namespace Pagoda.AddressSpace;

/// <summary>Moving a range, as a guest does that moves a BAR.</summary>
public sealed unsafe partial class Vmspace
{
    /// <summary>
    /// Moves everything mapped in a range to another one, with its content. When it returns no consumer has a
    /// translation of the old place; until then one that had it may still use it, while the new place is there already.
    /// </summary>
    /// <param name="from">The first byte, page aligned; the range is mapped throughout.</param>
    /// <param name="length">Bytes, whole pages.</param>
    /// <param name="to">Where it goes, page aligned; a free range that does not overlap the old one.</param>
    /// <exception cref="MapException">The range cannot be moved so, or is wired in part; nothing was changed.
    /// </exception>
    public void Remap(ulong from, ulong length, ulong to)
    {
        MapException.RequireRange("A moved range", from, length, AddressBits);
        MapException.RequireRange("The new place of a moved range", to, length, AddressBits);
        LockChanges(from, length);
        RequireCovered(from, length);
        RequireUnwired("moved", from, length);
        // The overlap of the two is mapped, so it is refused here too.
        if (!Map.IsFree(to, to + length)) RefuseOverlap(to, length);
        if (!Map.HasRoom(VmMap.CutsPerEdit + 1)) RefuseTooMany(from, length);

        Map.BeginEdit();
        foreach (ref readonly Departure departure in TakeOut(from, from + length).AsSpan())
        {
            MapEntry entry = departure.Entry;
            entry.End = entry.End - from + to;
            entry.Start = entry.Start - from + to;
            // Nobody has seen the object leave: the edit is not over, and its reference was kept.
            Map.Insert(entry, departure.Memory);
        }
        Map.EndEdit();
        Hide(from, length);
        UnlockChanges();
    }
}
