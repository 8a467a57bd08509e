using Pagoda.Simulator.Scheduling;

namespace Pagoda.Tests.Simulator;

/// <summary>The one worker of the tests, which run one after another.</summary>
internal static class Workers
{
    public static Simulation Simulation { get; } = new(0);
}
