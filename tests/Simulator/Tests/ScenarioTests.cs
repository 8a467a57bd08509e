using System.Collections.Generic;
using NUnit.Framework;
using Pagoda.Simulator.Memory;
using Pagoda.Simulator.Scenarios;
using Pagoda.Simulator.Scheduling;

namespace Pagoda.Tests.Simulator;

/// <summary>A few seeds of every scenario; many are played by the check of a change.</summary>
internal sealed class ScenarioTests
{
    private const ulong Seeds = 60;

    private static IEnumerable<string> Names()
    {
        foreach (Scenario scenario in Catalogue.All) yield return scenario.Name;
    }

    [TestCaseSource(nameof(Names))]
    public void NoScheduleBreaksAPromise(string name)
    {
        Scenario scenario = Catalogue.Find(name);
        for (ulong seed = 1; seed <= Seeds; seed++)
        {
            Outcome outcome = Workers.Simulation.Run(scenario, seed, (MemoryMode)(seed & 1));
            Assert.That(outcome.Violation, Is.Null, outcome.Replay + "\n" + outcome.Stack);
        }
    }
}
