using System;
using System.Collections.Generic;

namespace Pagoda.Simulator.Scenarios;

/// <summary>Every scenario, by name.</summary>
internal static class Catalogue
{
    public static IReadOnlyList<Scenario> All { get; } =
    [
        new EntryScenario("entry-2x1", consumers: 2, takers: 1, turns: 3),
        new EntryScenario("entry-1x2", consumers: 1, takers: 2, turns: 4),
        new LimboScenario("limbo-1-1", consumers: 1, walkers: 1, rounds: 2),
        new LimboScenario("limbo-0-2", consumers: 0, walkers: 2, rounds: 2),
        new LimboScenario("limbo-2-0", consumers: 2, walkers: 0, rounds: 2),
    ];

    public static Scenario Find(string name)
    {
        foreach (Scenario scenario in All)
        {
            if (scenario.Name == name) return scenario;
        }
        throw new ArgumentException("No scenario is called '" + name + "'.");
    }
}
