using Pagoda.Core;
using Pagoda.Machine.Apic;
using Pagoda.Machine.Devices;

namespace Pagoda.Machine;

/// <summary>What all vCPUs of a machine find behind their buses, and the lock that serialises it.</summary>
[AllocationFree]
public sealed class SharedDevices(PortSpace ports, int processors)
{
    /// <summary>How many processors the machine has.</summary>
    public int ProcessorCount { get; } = processors;

    /// <summary>Held for every access to a device and for every message between processors.</summary>
    public MachineLock Lock { get; } = new();

    /// <summary>The ports.</summary>
    public PortSpace Ports { get; } = ports;

    /// <summary>The way of messages between the local APICs.</summary>
    public ApicRouter Router { get; } = new(processors);

    /// <summary>The latest virtual time, in nanoseconds, at which a vCPU accessed a device.</summary>
    public ulong Now { get; private set; }

    /// <summary>
    /// The devices' time for an access by a vCPU whose own time this is: what any access saw, if that is later.
    /// </summary>
    /// <remarks>The vCPUs' clocks differ by what one is ahead of another; the devices' never goes back.</remarks>
    public ulong TimeAt(ulong nanoseconds)
    {
        if (nanoseconds > Now) Now = nanoseconds;
        return Now;
    }
}
