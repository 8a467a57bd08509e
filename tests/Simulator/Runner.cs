using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Threading;
using Pagoda.Simulator.Checks;
using Pagoda.Core;
using Pagoda.Simulator.Faults;
using Pagoda.Simulator.Memory;
using Pagoda.Simulator.Scenarios;
using Pagoda.Simulator.Scheduling;

namespace Pagoda.Simulator;

/// <summary>The command line: many seeds of every scenario, or one seed again.</summary>
internal static class Runner
{
    private const string Usage = "Pagoda.Simulator [--seeds N] [--first SEED] [--workers N] [--scenario NAME] "
        + "[--mode tso|weak] | --scenario NAME --mode tso|weak --seed SEED | --explore PREEMPTIONS [--schedules N]"
        + " [--scenario NAME] [--fault NUMBER] [--workers N]"
        + " | --sensitivity TRIALS [--fault NUMBER] [--seeds N] [--workers N]";

    public static int Run(string[] args)
    {
        var options = new Dictionary<string, string>(StringComparer.Ordinal);
        for (int i = 0; i < args.Length; i += 2)
        {
            if (i + 1 == args.Length || !args[i].StartsWith("--", StringComparison.Ordinal))
            {
                Console.Error.WriteLine(Usage);
                return 2;
            }
            options[args[i]] = args[i + 1];
        }
        if (options.ContainsKey("--sensitivity")) return FindFaults(options);
        if (options.ContainsKey("--explore")) return Explore(options);
        return options.ContainsKey("--seed") ? Replay(options) : RunMany(options);
    }

    private static int Replay(Dictionary<string, string> options)
    {
        Scenario scenario = SmallScenarios.FindAny(options["--scenario"]);
        Plant(options);
        var simulation = new Simulation(0);
        if (options.ContainsKey("--log")) simulation.Listen(new StepLog(Console.Out));
        Outcome outcome = simulation.Run(scenario, Number(options, "--seed", 0), ModeOf(options) ?? MemoryMode.Tso);
        Report(outcome);
        Console.WriteLine("steps " + outcome.Steps + ", hand-overs " + outcome.Handovers + ", trace "
            + outcome.Trace.ToString("X16", CultureInfo.InvariantCulture));
        return outcome.Violation is null ? 0 : 1;
    }

    /// <summary>Every schedule of the small scenarios, or of one, with at most so many preemptions.</summary>
    private static int Explore(Dictionary<string, string> options)
    {
        Plant(options);
        var turns = new List<ExplorationTurn>();
        foreach ((Scenario scenario, int preemptions) in SmallScenarios.All)
        {
            if (options.TryGetValue("--scenario", out string? name) && name != scenario.Name) continue;
            int bound = int.Min(preemptions, (int)Number(options, "--explore", 0));
            foreach (MemoryMode mode in Modes(options)) turns.Add(new ExplorationTurn(scenario, mode, bound));
        }
        var run = new ExplorationRun(turns, (long)Number(options, "--schedules", long.MaxValue), Console.Out);
        OnThreads((int)Number(options, "--workers", 1), run.Work);
        if (run.Failure is not { } failure) return 0;
        Report(failure);
        return 1;
    }

    /// <summary>Breaks the rule of a number that was given.</summary>
    private static void Plant(Dictionary<string, string> options)
    {
        foreach (FaultRow row in FaultTable.All)
        {
            if (options.TryGetValue("--fault", out string? number) && row.Number == number) Planted.Fault = row.Fault;
        }
    }

    /// <summary>Does the work on so many threads, each told its processor.</summary>
    private static void OnThreads(int workers, Action<int> work)
    {
        var threads = new Thread[workers];
        for (int i = 0; i < workers; i++)
        {
            int processor = i % Environment.ProcessorCount;
            threads[i] = new Thread(() => work(processor));
            threads[i].Start();
        }
        foreach (Thread thread in threads) thread.Join();
    }

    private static MemoryMode[] Modes(Dictionary<string, string> options) =>
        ModeOf(options) is { } mode ? [mode] : [MemoryMode.Tso, MemoryMode.Weak];

    private static int RunMany(Dictionary<string, string> options)
    {
        bool isOne = options.TryGetValue("--scenario", out string? name);
        var totals = new SeedRun(isOne ? [Catalogue.Find(name!)] : Catalogue.All, ModeOf(options),
            Number(options, "--first", 1), Number(options, "--seeds", 1000));
        long started = Stopwatch.GetTimestamp();
        OnThreads((int)Number(options, "--workers", 1), totals.Work);
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        if (totals.Failure is { } failure) Report(failure);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{totals.Seeds} seeds in {seconds:F1} s: {totals.Seeds / seconds:F0} seeds/s, "
            + $"{totals.Steps / seconds / 1e6:F2} million steps/s, {(double)totals.Steps / totals.Seeds:F0} steps and "
            + $"{(double)totals.Handovers / totals.Seeds:F0} hand-overs a seed"));
        return totals.Failure is null ? 0 : 1;
    }

    /// <summary>Plants the numbered faults, or one of them, and prints how many seeds found each.</summary>
    private static int FindFaults(Dictionary<string, string> options)
    {
        var rows = new List<FaultRow>();
        foreach (FaultRow row in FaultTable.All)
        {
            bool isAsked = !options.TryGetValue("--fault", out string? number) || row.Number == number
                || (number.EndsWith('.') && row.Number.StartsWith(number, StringComparison.Ordinal));
            if (isAsked) rows.Add(row);
        }
        var sensitivity = new Sensitivity((int)Number(options, "--sensitivity", 5), Number(options, "--seeds", 4000),
            (int)Number(options, "--workers", 1));
        return sensitivity.Run(rows, Console.Out) ? 0 : 1;
    }

    private static void Report(Outcome outcome)
    {
        if (outcome.Violation is null)
        {
            Console.WriteLine("no violation");
            return;
        }
        Console.WriteLine("VIOLATION " + outcome.Replay + "\n  " + outcome.Violation + "\n" + outcome.Stack);
    }

    private static ulong Number(Dictionary<string, string> options, string name, ulong otherwise) =>
        options.TryGetValue(name, out string? text) ? ulong.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    private static MemoryMode? ModeOf(Dictionary<string, string> options) =>
        !options.TryGetValue("--mode", out string? text) ? null : text == "weak" ? MemoryMode.Weak : MemoryMode.Tso;
}
