using Pagoda.Simulator.Memory;

namespace Pagoda.Simulator.Scheduling;

/// <summary>How one seed of one scenario ended.</summary>
/// <param name="Scenario">Which.</param>
/// <param name="Seed">With it and the mode the schedule is the same again.</param>
/// <param name="Mode">Which stores pass which.</param>
/// <param name="Violation">What did not hold; null when all did.</param>
/// <param name="Stack">Where.</param>
/// <param name="Steps">Shared accesses and waits.</param>
/// <param name="Handovers">Switches of actors.</param>
/// <param name="Trace">The same for the same schedule.</param>
internal sealed record Outcome(string Scenario, ulong Seed, MemoryMode Mode, string? Violation, string? Stack,
    long Steps, int Handovers, ulong Trace)
{
    /// <summary>The line that replays it.</summary>
    public string Replay => "--scenario " + Scenario + " --mode " + (Mode == MemoryMode.Tso ? "tso" : "weak")
        + " --seed " + Seed.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
