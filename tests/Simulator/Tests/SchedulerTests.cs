using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Simulator.Memory;
using Pagoda.Simulator.Scenarios;
using Pagoda.Simulator.Scheduling;

namespace Pagoda.Tests.Simulator;

/// <summary>Schedules come from seeds alone, and one that cannot end is a violation.</summary>
internal sealed unsafe class SchedulerTests
{
    [Test]
    public void ASeedGivesTheSameScheduleAgain([Values] bool weak)
    {
        MemoryMode mode = weak ? MemoryMode.Weak : MemoryMode.Tso;
        foreach (Scenario scenario in Catalogue.All)
        {
            for (ulong seed = 1; seed <= 3; seed++)
            {
                Outcome first = Workers.Simulation.Run(scenario, seed, mode);
                Outcome second = Workers.Simulation.Run(scenario, seed, mode);
                Assert.That(second, Is.EqualTo(first), first.Replay);
            }
        }
    }

    [Test]
    public void OtherSeedsGiveOtherSchedules()
    {
        Scenario scenario = Catalogue.All[0];
        ulong one = Workers.Simulation.Run(scenario, 1, MemoryMode.Tso).Trace;
        Assert.That(Workers.Simulation.Run(scenario, 2, MemoryMode.Tso).Trace, Is.Not.EqualTo(one));
    }

    [Test]
    public void AWaitThatNobodyEndsIsADeadlock()
    {
        Outcome outcome = Workers.Simulation.Run(new Stuck(sleeps: false), 1, MemoryMode.Tso);
        Assert.That(outcome.Violation, Does.Contain("deadlock"));
    }

    [Test]
    public void ASleepThatNobodyEndsIsADeadlock()
    {
        Outcome outcome = Workers.Simulation.Run(new Stuck(sleeps: true), 1, MemoryMode.Tso);
        Assert.That(outcome.Violation, Does.Contain("deadlock"));
    }

    [Test]
    public void ALoopThatMovesAndNeverEndsIsALivelock()
    {
        Outcome outcome = Workers.Simulation.Run(new Endless(), 1, MemoryMode.Tso);
        Assert.That(outcome.Violation, Does.Contain("livelock"));
    }

    [Test]
    public void AScheduleGoesOnAfterOneThatFailed()
    {
        _ = Workers.Simulation.Run(new Endless(), 1, MemoryMode.Tso);
        Outcome outcome = Workers.Simulation.Run(Catalogue.All[0], 1, MemoryMode.Tso);
        Assert.That(outcome.Violation, Is.Null);
    }

    private sealed class Stuck(bool sleeps) : Scenario
    {
        public override string Name => "stuck";

        public override int TypicalSteps => 10;

        public override void Play(Stage stage)
        {
            ulong* cell = stage.Cell();
            for (int i = 0; i < 3; i++)
            {
                stage.Add("waiter " + i, () =>
                {
                    var wait = default(Wait);
                    while (Shared.Load(cell) == 0)
                    {
                        if (sleeps) Wait.OnWord(cell, 0);
                        else wait.Step();
                    }
                });
            }
            stage.Play();
        }
    }

    private sealed class Endless : Scenario
    {
        public override string Name => "endless";

        public override int TypicalSteps => 10;

        public override void Play(Stage stage)
        {
            ulong* cell = stage.Cell();
            stage.Add("one", () =>
            {
                while (Shared.Load(cell) != 1) Shared.Increment(cell + 1);
            });
            stage.Add("two", () => Shared.Load(cell));
            stage.Play();
        }
    }
}
