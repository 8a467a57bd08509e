using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Faults;

namespace Pagoda.GuestAccess;

/// <summary>Wiring guest memory: its pages stay in memory and its mappings where they are.</summary>
/// <remarks>
/// The map counts the wiring; then, in turns, what is mapped is wired under the change lock, and what is missing is
/// faulted in without it. Whatever comes in on the way is wired at once, by whoever faults it in, so each turn comes
/// further however short memory is.
/// </remarks>
internal static unsafe class GuestWire
{
    /// <summary>How often room is made for the demotion of a superpage before there is no hope.</summary>
    private const int ReliefsMax = 16;

    /// <summary>Frames that are asked for then.</summary>
    private const int ReliefFrames = 64;

    /// <summary>Wires a range, all of it or nothing.</summary>
    /// <param name="consumer">The caller's, outside its slot.</param>
    /// <param name="gpa">Page aligned.</param>
    /// <param name="length">Bytes, whole pages.</param>
    /// <exception cref="MapException">The range cannot be wired; it is as it was before.</exception>
    public static void Wire(VmspaceConsumer consumer, ulong gpa, ulong length)
    {
        Vmspace space = consumer.Space;
        space.BeginWire(gpa, length);
        var status = FaultStatus.Destroyed;
        ulong at = gpa;
        try
        {
            status = BringIn(consumer, ref at, gpa + length);
        }
        finally
        {
            // Also when a pager throws.
            if (status != FaultStatus.Resolved) space.CancelWire(gpa, length);
        }
        if (status == FaultStatus.Resolved) return;
        MapException.ThrowUnwirable(ErrorOf(status), gpa, length, at);
    }

    /// <summary>Faults in what is missing until all is wired.</summary>
    private static FaultStatus BringIn(VmspaceConsumer consumer, ref ulong at, ulong end)
    {
        Vmspace space = consumer.Space;
        ulong* missing = stackalloc ulong[MissingPages.Max];
        int reliefs = 0;
        while (true)
        {
            switch (space.WirePresent(ref at, end, out Prot access))
            {
                case WireStep.Done:
                    return FaultStatus.Resolved;
                case WireStep.Gone:
                    return FaultStatus.Destroyed;
                case WireStep.NoFrame:
                    MemoryRelief? relief = space.Neighbours.Relief;
                    bool isHopeless = relief is null || reliefs++ == ReliefsMax || relief.Relieve(ReliefFrames) == 0;
                    if (isHopeless) return FaultStatus.OutOfMemory;
                    continue;
            }
            if (!consumer.TryEnter()) return FaultStatus.Destroyed;
            int count = MissingPages.Collect(consumer, at, end, access, missing);
            consumer.Exit();
            FaultStatus status = MissingPages.Fault(consumer, missing, count, access, out int failed);
            // The rights may have changed since they were read: look again.
            if (status is FaultStatus.Resolved or FaultStatus.Protection) continue;
            at = missing[failed];
            return status;
        }
    }

    private static MapError ErrorOf(FaultStatus status) => status switch
    {
        FaultStatus.OutOfMemory => MapError.NoMemory,
        FaultStatus.Poisoned or FaultStatus.PagerError => MapError.PageLost,
        _ => MapError.Destroyed,
    };
}
