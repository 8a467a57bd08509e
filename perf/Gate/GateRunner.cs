using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Threading;

namespace Pagoda.Perf.Gate;

/// <summary>Runs every case beside its limit, round by round, prints a table and checks the allocated bytes.</summary>
/// <remarks>
/// Time is for reading, as a ratio within one run: it is never a reason to fail. Bytes are exact, and are.
/// </remarks>
internal static class GateRunner
{
    private const int Rounds = 15;
    private const int ByteRuns = 50;
    private static readonly TimeSpan s_warmUp = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan s_tierUp = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan s_round = TimeSpan.FromMilliseconds(10);

    /// <summary>Runs all of it; false when a budget is broken.</summary>
    public static bool Run(IReadOnlyList<GateCase> cases, Budgets budgets, TextWriter output)
    {
        output.WriteLine("Medians of " + Rounds + " rounds and the best; the ratio is of the best. "
            + "The limit is the work that no engine can leave out.");
        var results = new List<GateResult>();
        foreach (GateCase item in cases)
        {
            GateResult result = Measure(item);
            results.Add(result);
            output.WriteLine(Describe(result));
        }
        Metadata.Print(output);
        List<string> wrong = budgets.Check(results);
        foreach (string message in wrong) output.WriteLine("perf: " + message);
        output.WriteLine(wrong.Count == 0 ? "perf: every workload is within its budget." : "perf: over budget.");
        return wrong.Count == 0;
    }

    private static GateResult Measure(GateCase item)
    {
        using Workload engine = item.Engine();
        using Workload limit = item.Limit();
        int engineRuns = WarmUp(engine);
        int limitRuns = WarmUp(limit);
        double[] engineTimes = new double[Rounds];
        double[] limitTimes = new double[Rounds];
        for (int round = 0; round < Rounds; round++)
        {
            engineTimes[round] = Nanoseconds(engine, engineRuns);
            limitTimes[round] = Nanoseconds(limit, limitRuns);
        }
        Array.Sort(engineTimes);
        Array.Sort(limitTimes);
        return new GateResult(item.Name, engine.Operation, engineTimes[Rounds / 2], engineTimes[0], limit.Operation,
            limitTimes[Rounds / 2], limitTimes[0], BytesPerRun(engine));
    }

    /// <summary>Runs until the code has its last tier; returns how many runs make a round.</summary>
    private static int WarmUp(Workload workload)
    {
        RunFor(workload, s_warmUp);
        // The compiler's background thread wants the processor for a while.
        Thread.Sleep(s_tierUp);
        long runs = RunFor(workload, s_warmUp);
        return (int)Math.Max(1, runs * s_round.Ticks / s_warmUp.Ticks);
    }

    private static long RunFor(Workload workload, TimeSpan time)
    {
        long runs = 0;
        long started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < time)
        {
            workload.Run();
            workload.Reset();
            runs++;
        }
        return runs;
    }

    private static double Nanoseconds(Workload workload, int runs)
    {
        TimeSpan elapsed = workload.IsReset ? TimeEach(workload, runs) : TimeAll(workload, runs);
        return elapsed.TotalNanoseconds / ((double)runs * workload.OperationsPerRun);
    }

    private static TimeSpan TimeAll(Workload workload, int runs)
    {
        long started = Stopwatch.GetTimestamp();
        for (int i = 0; i < runs; i++) workload.Run();
        return Stopwatch.GetElapsedTime(started);
    }

    private static TimeSpan TimeEach(Workload workload, int runs)
    {
        TimeSpan elapsed = TimeSpan.Zero;
        for (int i = 0; i < runs; i++)
        {
            long started = Stopwatch.GetTimestamp();
            workload.Run();
            elapsed += Stopwatch.GetElapsedTime(started);
            workload.Reset();
        }
        return elapsed;
    }

    private static long BytesPerRun(Workload workload)
    {
        long bytes = 0;
        for (int i = 0; i < ByteRuns; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            workload.Run();
            bytes += GC.GetAllocatedBytesForCurrentThread() - before;
            workload.Reset();
        }
        return (bytes + ByteRuns - 1) / ByteRuns;
    }

    private static string Describe(GateResult result) => string.Create(CultureInfo.InvariantCulture,
        $"{result.Name,-10} {result.Nanoseconds,8:0.0} ns (best {result.BestNanoseconds,8:0.0})  limit" +
        $" {result.LimitNanoseconds,8:0.0} ns (best {result.LimitBestNanoseconds,8:0.0})" +
        $"  x{result.BestNanoseconds / result.LimitBestNanoseconds,-5:0.0} {result.BytesPerRun} bytes a run" +
        $"  {result.Operation}; limit: {result.LimitOperation}");
}
