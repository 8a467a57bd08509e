using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Threading;
using Pagoda.Core;
using Pagoda.Simulator.Memory;
using Pagoda.Simulator.Scenarios;
using Pagoda.Simulator.Scheduling;

namespace Pagoda.Simulator.Faults;

/// <summary>Plants each fault in turn and counts the seeds until the simulator reports it.</summary>
internal sealed class Sensitivity(int trials, ulong seedsMax, int workers)
{
    private const ulong SeedsApart = 1_000_000;
    private const int PreemptionsMax = 3;
    private const long SchedulesMax = 30_000;

    private readonly int _trials = trials;
    private readonly ulong _seedsMax = seedsMax;
    private readonly int _workers = workers;

    /// <summary>Runs every fault of the table that can be planted; prints the table.</summary>
    /// <param name="rows">The faults.</param>
    /// <param name="output">Receives a line for each.</param>
    /// <returns>False when one was not caught in some trial.</returns>
    public bool Run(IReadOnlyList<FaultRow> rows, TextWriter output)
    {
        long started = Stopwatch.GetTimestamp();
        int planted = 0;
        int caught = 0;
        foreach (FaultRow row in rows)
        {
            if (row.Scenarios.Length == 0)
            {
                output.WriteLine("F" + row.Number + " " + row.Fault + ": " + row.Reason);
                continue;
            }
            planted++;
            ulong[] seeds = Catch(row, out Outcome? sample);
            bool isCaught = Array.IndexOf(seeds, ulong.MaxValue) < 0;
            if (isCaught) caught++;
            output.WriteLine(isCaught
                ? string.Create(CultureInfo.InvariantCulture,
                    $"F{row.Number,-5} {row.Fault,-30} median {seeds[seeds.Length / 2],5}  worst {seeds[^1],5}  "
                    + $"{sample!.Scenario}: {FirstLine(sample.Violation!)}")
                : $"F{row.Number,-5} {row.Fault,-30} NOT CAUGHT in {_seedsMax} seeds");
        }
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{caught} of {planted} planted faults caught in each of {_trials} trials; the other "
            + $"{rows.Count - planted} of {rows.Count} break nothing here; "
            + $"{Stopwatch.GetElapsedTime(started).TotalSeconds:F0} s"));
        return caught == planted;
    }

    /// <summary>Seeds that each trial took, in ascending order; the largest number where it was not caught.</summary>
    public ulong[] Catch(FaultRow row, out Outcome? sample)
    {
        // Schedules that are gone through in order are the same each time.
        int trials = row.IsExplored ? 1 : _trials;
        var seeds = new ulong[trials];
        Outcome? found = null;
        int next = -1;
        Planted.Fault = row.Fault;
        Parallel(simulation =>
        {
            for (int trial; (trial = Interlocked.Increment(ref next)) < trials;)
            {
                seeds[trial] = Play(simulation, row, (ulong)(trial + 1) * SeedsApart, _seedsMax,
                    out Outcome? outcome);
                if (trial == 0) found = outcome;
            }
        });
        Planted.Fault = PlantedFault.None;
        Array.Sort(seeds);
        sample = found;
        return seeds;
    }

    /// <summary>Seeds until one fault is reported, from the first seed on; the largest number when it is not.</summary>
    public static ulong CatchOn(Simulation simulation, FaultRow row, ulong seedsMax)
    {
        Planted.Fault = row.Fault;
        ulong seeds = Play(simulation, row, 1, seedsMax, out _);
        Planted.Fault = PlantedFault.None;
        return seeds;
    }

    private static ulong Play(Simulation simulation, FaultRow row, ulong first, ulong seedsMax, out Outcome? outcome)
    {
        if (row.IsExplored) return Explore(simulation, row, out outcome);
        for (ulong i = 0; i < seedsMax; i++)
        {
            Scenario scenario = SmallScenarios.FindAny(row.Scenarios[i % (ulong)row.Scenarios.Length]);
            MemoryMode mode = row.Mode ?? (MemoryMode)(i / (ulong)row.Scenarios.Length & 1);
            outcome = simulation.Run(scenario, first + i, mode);
            if (outcome.Violation is not null) return i + 1;
        }
        outcome = null;
        return ulong.MaxValue;
    }

    /// <summary>Goes through schedules in their order, fewest preemptions first, instead of drawing them.</summary>
    private static ulong Explore(Simulation simulation, FaultRow row, out Outcome? outcome)
    {
        ulong played = 0;
        foreach (string name in row.Scenarios)
        {
            var exploration = new Exploration(simulation, SmallScenarios.Find(name), row.Mode ?? MemoryMode.Tso);
            exploration.Run(PreemptionsMax, SchedulesMax);
            played += (ulong)exploration.Schedules;
            outcome = exploration.Failure;
            if (outcome is not null) return played;
        }
        outcome = null;
        return ulong.MaxValue;
    }

    private void Parallel(Action<Simulation> work)
    {
        var threads = new Thread[_workers];
        for (int i = 0; i < _workers; i++)
        {
            int processor = i % Environment.ProcessorCount;
            threads[i] = new Thread(() =>
            {
                Baton.BindThread(processor);
                work(SimulationOf(processor));
            });
            threads[i].Start();
        }
        foreach (Thread thread in threads) thread.Join();
    }

    private readonly Simulation?[] _simulations = new Simulation?[Environment.ProcessorCount];

    // Kept: a simulation's threads live as long as the process.
    private Simulation SimulationOf(int processor) => _simulations[processor] ??= new Simulation(processor);

    private static string FirstLine(string text)
    {
        int end = text.IndexOf('\n', StringComparison.Ordinal);
        return end < 0 ? text : text[..end];
    }
}
