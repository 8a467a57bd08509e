using Pagoda.Core;
using Pagoda.Simulator.Memory;

namespace Pagoda.Simulator.Faults;

/// <summary>One numbered fault: how it is planted and where it is looked for, or why it cannot be.</summary>
/// <param name="Number">The family and the number in it, as in "3.7".</param>
/// <param name="Fault">What the kernel does wrong; None when it cannot be planted.</param>
/// <param name="Scenarios">Names of scenarios, played in turn.</param>
/// <param name="Mode">Which memory shows it; null for both in turn.</param>
/// <param name="Reason">Why it cannot be planted, or what is particular about it.</param>
internal sealed record FaultRow(string Number, PlantedFault Fault, string[] Scenarios, MemoryMode? Mode = null,
    string Reason = "")
{
    /// <summary>The schedules of small scenarios are gone through in order.</summary>
    public bool IsExplored { get; init; }

    public override string ToString() => "F" + Number + " " + (Fault == PlantedFault.None ? Reason : Fault.ToString());
}
