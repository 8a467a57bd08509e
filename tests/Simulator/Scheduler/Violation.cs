using System;

namespace Pagoda.Simulator.Scheduling;

/// <summary>A check that failed: what the protocols promise did not hold.</summary>
internal sealed class ViolationException(string message) : Exception(message);

/// <summary>Unwinds a thread of a schedule that is over.</summary>
internal sealed class AbandonedException() : Exception("The schedule is over.");
