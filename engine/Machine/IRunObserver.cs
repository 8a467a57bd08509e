using System;
using Pagoda.Diagnostics;

namespace Pagoda.Machine;

/// <summary>Watches a run. Called a few times a second by the machine's thread, between guest instructions.</summary>
/// <remarks>
/// It may allocate: that is left out of the run's own numbers. The machine's lock is held, so
/// that nothing is printed meanwhile: it does not ask the machine or its guest for anything.
/// </remarks>
public interface IRunObserver
{
    /// <summary>Takes the run's state.</summary>
    /// <param name="progress">Where the run is.</param>
    void Observe(in RunProgress progress);
}

/// <summary>Where a run is.</summary>
public readonly struct RunProgress
{
    /// <summary>Wall-clock time since the first instruction.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>Instructions executed.</summary>
    public required ulong GuestInstructions { get; init; }

    /// <summary>The paging kernel's counters.</summary>
    public required GuestCounters Counters { get; init; }

    /// <summary>True when the serial output so far ends inside a terminal's control sequence.</summary>
    public required bool IsInsideControlSequence { get; init; }
}
