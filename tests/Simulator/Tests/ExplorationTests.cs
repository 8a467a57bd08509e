using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using NUnit.Framework;
using Pagoda.Simulator;
using Pagoda.Simulator.Memory;
using Pagoda.Simulator.Scenarios;
using Pagoda.Simulator.Scheduling;

namespace Pagoda.Tests.Simulator;

/// <summary>Going through every schedule finds what one of them shows, and ends.</summary>
internal sealed class ExplorationTests
{
    private const long SchedulesMax = 300;

    [Test]
    public void TheOneScheduleInWhichBothLoadsMissIsFound() =>
        Assert.That(Explore(new StoreBuffering(fenced: false), MemoryMode.Tso, 1).Failure, Is.Not.Null);

    [Test]
    public void BehindFullFencesThereIsNone([Values(0, 1)] int mode)
    {
        Exploration exploration = Explore(new StoreBuffering(fenced: true), (MemoryMode)mode, 3);
        Assert.That(exploration.Failure, Is.Null);
        Assert.That(exploration.IsComplete, Is.True);
    }

    [TestCaseSource(nameof(Names))]
    public void NoScheduleOfASmallProtocolBreaksAPromise(string name)
    {
        Scenario scenario = SmallScenarios.Find(name);
        Exploration exploration = Explore(scenario, MemoryMode.Tso, 1);
        Assert.That(exploration.Failure, Is.Null, exploration.Failure?.Stack);
        Assert.That(exploration.Schedules, Is.GreaterThan(1));
    }

    [Test]
    public void ARunExploresAllInTurnAndEndsWithTheFirstThatFails()
    {
        ExplorationTurn good = new(new StoreBuffering(fenced: true), MemoryMode.Tso, 1);
        ExplorationTurn bad = new(new StoreBuffering(fenced: false), MemoryMode.Tso, 1);
        using var output = new StringWriter();
        var run = new ExplorationRun([good, good, bad, good], SchedulesMax, output);
        var worker = new Thread(() => run.Work(0));
        worker.Start();
        worker.Join();
        Assert.That(run.Failure?.Violation, Is.Not.Null);
        Assert.That(output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(3));
    }

    private static IEnumerable<string> Names()
    {
        foreach ((Scenario scenario, _) in SmallScenarios.All) yield return scenario.Name;
    }

    private static Exploration Explore(Scenario scenario, MemoryMode mode, int preemptions)
    {
        var exploration = new Exploration(Workers.Simulation, scenario, mode);
        exploration.Run(preemptions, SchedulesMax);
        return exploration;
    }
}
