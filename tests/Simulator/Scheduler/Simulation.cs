using System;
using Pagoda.Simulator.Checks;
using Pagoda.Simulator.Memory;
using Pagoda.Simulator.Scenarios;

namespace Pagoda.Simulator.Scheduling;

/// <summary>Plays scenarios: one worker with its threads, bound to one processor. One caller at a time.</summary>
internal sealed class Simulation
{
    private readonly Scheduler _scheduler;
    private readonly Stage _stage;
    private readonly RandomPolicy _random = new();
    private readonly PriorityPolicy _priority = new();
    private readonly PausePolicy _pause = new();

    /// <summary>A worker on a processor.</summary>
    public Simulation(int processor)
    {
        _scheduler = new Scheduler(processor);
        _stage = new Stage(_scheduler);
    }

    /// <summary>Hears of what the actors do; slow.</summary>
    public void Listen(StepLog log) => _scheduler.Log = log;

    /// <summary>Plays one seed: the scenario's choices and the schedule follow from it.</summary>
    public Outcome Run(Scenario scenario, ulong seed, MemoryMode mode)
    {
        ulong schedule = new Rng(seed ^ 0xA5A5).Next();
        Policy policy = (schedule % 8) switch
        {
            0 => _priority.Seed(schedule, scenario.TypicalSteps),
            1 or 2 or 3 => _pause.Seed(schedule, scenario.TypicalSteps),
            _ => _random.Seed(schedule, scenario.TypicalSteps),
        };
        return Run(scenario, seed, mode, policy);
    }

    /// <summary>Plays one seed under a policy of the caller's.</summary>
    public Outcome Run(Scenario scenario, ulong seed, MemoryMode mode, Policy policy)
    {
        _scheduler.Reset(mode);
        _stage.Begin(seed, policy);
        string? violation = null;
        string? stack = null;
        try
        {
            scenario.Play(_stage);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            violation = _scheduler.Failure ?? failure.GetType().Name + ": " + failure.Message;
            stack = _scheduler.FailureStack ?? failure.ToString();
        }
        _stage.End();
        return new Outcome(scenario.Name, seed, mode, violation, stack, _scheduler.Steps, _scheduler.Handovers,
            _scheduler.Trace);
    }
}
