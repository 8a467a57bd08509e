using System;
using Pagoda.Diagnostics;

namespace Pagoda.Machine;

/// <summary>What a run came to.</summary>
public sealed class RunResult
{
    /// <summary>How it ended.</summary>
    public required RunEnd End { get; init; }

    /// <summary>Why it ended, where the way alone does not say; with registers after a failure. May be empty.</summary>
    public required string Message { get; init; }

    /// <summary>Wall-clock time from the guest's first instruction to its last.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>Instructions executed by all processors; a REP instruction counts once.</summary>
    public required ulong GuestInstructions { get; init; }

    /// <summary>The same, processor by processor.</summary>
    public required ReadOnlyMemory<ulong> ProcessorInstructions { get; init; }

    /// <summary>Virtual time that passed for the guest, in nanoseconds: that of the processor furthest ahead.
    /// </summary>
    public required ulong VirtualNanoseconds { get; init; }

    /// <summary>The last 4 KiB of serial output.</summary>
    public required ReadOnlyMemory<byte> ConsoleTail { get; init; }

    /// <summary>The paging kernel's counters.</summary>
    public required GuestCounters Counters { get; init; }

    /// <summary>Accesses to device memory, to read-only memory that was written, and to nothing.</summary>
    public required ulong MmioExits { get; init; }

    /// <summary>Port accesses.</summary>
    public required ulong IoExits { get; init; }

    /// <summary>Byte accesses of ports, and accesses of addresses, that nothing answered.</summary>
    public required ulong UnclaimedAccesses { get; init; }

    /// <summary>Managed bytes that the run's threads allocated meanwhile, the observer's left out.</summary>
    public required long ManagedBytesAllocated { get; init; }

    /// <summary>Garbage collections of the process meanwhile, those inside the observer left out.</summary>
    public required int GcCollections { get; init; }

    /// <summary>Millions of guest instructions a second of wall-clock time.</summary>
    public double GuestMips => Elapsed > TimeSpan.Zero ? GuestInstructions / Elapsed.TotalSeconds / 1e6 : 0;
}
