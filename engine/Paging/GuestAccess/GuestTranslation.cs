using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Faults;

namespace Pagoda.GuestAccess;

/// <summary>Questions to the tables and the map that change nothing.</summary>
[AllocationFree]
public static class GuestTranslation
{
    /// <summary>Where an address lies now, if its mapping allows the access. Never faults anything in.</summary>
    /// <remarks>
    /// The answer is about this moment: without a hold the page may be taken away at the next. At or above the arena's
    /// length it is a device's address.
    /// </remarks>
    /// <param name="consumer">The caller's, outside its slot.</param>
    /// <param name="gpa">Any address.</param>
    /// <param name="access">Rights that must all be there; None asks for a mapping alone.</param>
    /// <param name="hpa">Where it lies; 0 when the result is false.</param>
    public static bool TryTranslate(VmspaceConsumer consumer, ulong gpa, Prot access, out ulong hpa)
    {
        hpa = 0;
        if (!consumer.TryEnter()) return false;
        bool found = consumer.Space.Pmap.TryExtract(gpa, access, out hpa);
        consumer.Exit();
        return found;
    }

    /// <summary>Does the map, as it is now, allow an access to every byte of a range?</summary>
    /// <param name="consumer">The caller's, outside its slot.</param>
    /// <param name="gpa">The first byte.</param>
    /// <param name="length">Bytes, not 0.</param>
    /// <param name="access">The rights.</param>
    /// <returns>Resolved, NoMapping, Protection or Destroyed.</returns>
    internal static FaultStatus Check(VmspaceConsumer consumer, ulong gpa, ulong length, Prot access)
    {
        ulong last = gpa + length - 1;
        if (last < gpa) return FaultStatus.NoMapping;
        if (!consumer.TryEnter()) return FaultStatus.Destroyed;
        FaultStatus status = FaultStatus.Resolved;
        ulong at = gpa;
        while (true)
        {
            bool found = consumer.TryFind(at, out MapEntry entry, out _, out _);
            if (!found) status = FaultStatus.NoMapping;
            else if ((access & ~entry.Prot) != 0) status = FaultStatus.Protection;
            if (status != FaultStatus.Resolved || entry.End - 1 >= last) break;
            at = entry.End;
        }
        consumer.Exit();
        return status;
    }
}
