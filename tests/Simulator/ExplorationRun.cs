using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Threading;
using Pagoda.Simulator.Memory;
using Pagoda.Simulator.Scenarios;
using Pagoda.Simulator.Scheduling;

namespace Pagoda.Simulator;

/// <summary>A scenario to explore in one mode, up to so many preemptions.</summary>
internal sealed record ExplorationTurn(Scenario Scenario, MemoryMode Mode, int Preemptions);

/// <summary>Explorations, dealt out to workers.</summary>
internal sealed class ExplorationRun(IReadOnlyList<ExplorationTurn> turns, long schedulesMax, TextWriter output)
{
    private readonly IReadOnlyList<ExplorationTurn> _turns = turns;
    private readonly long _schedulesMax = schedulesMax;
    private readonly TextWriter _output = TextWriter.Synchronized(output);
    private int _next = -1;
    private Outcome? _failure;

    /// <summary>The first violation; the run ends with it.</summary>
    public Outcome? Failure => Volatile.Read(ref _failure);

    /// <summary>Explores until there is nothing left, or something failed; a line for each.</summary>
    public void Work(int processor)
    {
        Baton.BindThread(processor);
        var simulation = new Simulation(processor);
        while (Failure is null)
        {
            int next = Interlocked.Increment(ref _next);
            if (next >= _turns.Count) return;
            Explore(simulation, _turns[next]);
        }
    }

    private void Explore(Simulation simulation, ExplorationTurn turn)
    {
        long started = Stopwatch.GetTimestamp();
        var exploration = new Exploration(simulation, turn.Scenario, turn.Mode);
        exploration.Run(turn.Preemptions, _schedulesMax);
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        _output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{turn.Scenario.Name}, {turn.Mode}: {exploration.Schedules} schedules up to {turn.Preemptions} "
            + $"preemptions, {(exploration.IsComplete ? "all" : "not all")}, {seconds:F1} s"));
        if (exploration.Failure is not null) Interlocked.CompareExchange(ref _failure, exploration.Failure, null);
    }
}
