using System.Collections.Generic;
using System.Threading;
using Pagoda.Simulator.Memory;
using Pagoda.Simulator.Scenarios;
using Pagoda.Simulator.Scheduling;

namespace Pagoda.Simulator;

/// <summary>A range of seeds, dealt out to workers: scenarios in turn, modes in turn.</summary>
internal sealed class SeedRun(IReadOnlyList<Scenario> scenarios, MemoryMode? mode, ulong first, ulong count)
{
    private readonly IReadOnlyList<Scenario> _scenarios = scenarios;
    private readonly MemoryMode? _mode = mode;
    private readonly ulong _end = first + count;
    private ulong _next = first;
    private long _seeds;
    private long _steps;
    private long _handovers;
    private Outcome? _failure;

    public long Seeds => _seeds;

    public long Steps => _steps;

    public long Handovers => _handovers;

    /// <summary>The first violation; the run ends with it.</summary>
    public Outcome? Failure => Volatile.Read(ref _failure);

    /// <summary>Plays seeds until there are no more, or one fails.</summary>
    public void Work(int processor)
    {
        Baton.BindThread(processor);
        var simulation = new Simulation(processor);
        while (Failure is null)
        {
            ulong seed = Interlocked.Increment(ref _next) - 1;
            if (seed >= _end) return;
            Scenario scenario = _scenarios[(int)(seed % (ulong)_scenarios.Count)];
            MemoryMode mode = _mode ?? (MemoryMode)(seed / (ulong)_scenarios.Count & 1);
            Outcome outcome = simulation.Run(scenario, seed, mode);
            Interlocked.Increment(ref _seeds);
            Interlocked.Add(ref _steps, outcome.Steps);
            Interlocked.Add(ref _handovers, outcome.Handovers);
            if (outcome.Violation is not null) Interlocked.CompareExchange(ref _failure, outcome, null);
        }
    }
}
