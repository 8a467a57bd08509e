using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;

namespace Pagoda.Perf.Scaling;

/// <summary><c>scaling</c>: what vCPUs cost one another, with two real threads.</summary>
/// <remarks>
/// Rounds are shorter than a slice of the scheduler, so that on a busy machine some run undisturbed; the best ones
/// count, and the medians say how busy it was. Two guests, one a thread, share nothing: what they cost one another is
/// the machine's part, and what a guest's windows cost more than that would be lines that both threads write. Times are
/// for reading, never a reason to fail.
/// </remarks>
internal static class ScalingRunner
{
    private const int Rounds = 400;
    private const int RoundsMax = 10_000;
    private const int UndisturbedRounds = 50;
    private const int WarmUpRounds = 40;
    private const int ResidentWindows = 8;
    private const int TouchedWindows = 2;
    private const int Vcpus = 64;
    private static readonly TimeSpan s_rowMax = TimeSpan.FromSeconds(10);

    /// <summary>Runs and prints.</summary>
    /// <returns>False when a shootdown was not one generation.</returns>
    public static bool Run(TextWriter output)
    {
        output.WriteLine("Best of the rounds and (median); the machine has " + Environment.ProcessorCount
            + " processors" + (Environment.ProcessorCount < 2 ? ", too few for two threads." : "."));
        using (var pair = new ThreadPair())
        {
            Disjoint(output, pair, "faults, windows apart", ScalingWorld.FarApart);
            Disjoint(output, pair, "faults, windows side by side", ScalingWorld.SideBySide);
            Disjoint(output, pair, "first touches, windows apart", ScalingWorld.FarApart, touch: true);
            Many(output, pair);
        }
        (double best, double median, double generations) = ShootdownScaling.Gather();
        Row(output, "shootdown of 512 pages, 8 vCPUs polling: ns it adds a page, no wait", best, median, "at most 1");
        Row(output, "its generations", generations, generations, "1");
        (best, median, int waits) = ShootdownScaling.WaitForVcpu();
        Row(output, "wait for a vCPU that runs a guest, us, median of " + waits, best, median,
            "at most 2");
        return generations == 1;
    }

    /// <summary>
    /// Two threads that fault on windows of their own, against one that does the same work, and against two that have
    /// a guest each.
    /// </summary>
    private static void Disjoint(TextWriter output, ThreadPair pair, string what, ulong stride, bool touch = false)
    {
        // Each of the threads; a first touch takes four times as long.
        int windows = touch ? TouchedWindows : ResidentWindows;
        using var world = new ScalingWorld(2, 2 * windows, stride);
        using var other = new ScalingWorld(2, 2 * windows, stride);
        void Reset()
        {
            if (touch) world.Empty();
            else world.UnmapTables();
            if (touch) other.Empty();
            else other.UnmapTables();
        }

        void Fault(ScalingWorld where, int thread)
        {
            for (int i = 0; i < windows; i++) where.FaultWindow(thread, thread * windows + i);
        }

        var one = new RoundTimes(RoundsMax);
        var two = new RoundTimes(RoundsMax);
        var apart = new RoundTimes(RoundsMax);
        Measure(Reset, two,
            () => one.Add(pair.Alone(thread => Fault(world, thread))),
            () => two.Add(pair.Together(thread => Fault(world, thread))),
            () => apart.Add(pair.Together(thread => Fault(thread == 0 ? world : other, thread))));
        one.Close();
        two.Close();
        apart.Close();
        Row(output, what + ": two threads / one, wall time", two.BestWall / one.BestWall,
            two.MedianWall / one.MedianWall, "at most 0.6");
        Row(output, what + ": the same with a guest each", apart.BestWall / one.BestWall,
            apart.MedianWall / one.MedianWall, "");
        Row(output, what + ": one guest / a guest each, processor time", two.BestProcessor / apart.BestProcessor,
            two.MedianProcessor / apart.MedianProcessor, "1");
        double faults = 2 * windows * ScalingWorld.PagesPerWindow;
        Row(output, what + ": ns of one thread's for each", one.BestProcessor / faults,
            one.MedianProcessor / faults, "");
        Tell(output, two);
    }

    /// <summary>Two threads that take turns for 32 vCPUs each, a batch at a time, against one vCPU each.</summary>
    private static void Many(TextWriter output, ThreadPair pair)
    {
        const int Each = Vcpus / 2;
        using var world = new ScalingWorld(Vcpus, Vcpus);
        void Work(int thread, bool many)
        {
            for (int page = 0; page < ScalingWorld.PagesPerWindow; page += ScalingWorld.Batch)
            {
                for (int i = thread * Each; i < (thread + 1) * Each; i++)
                {
                    world.FaultBatch(many ? i : thread * Each, i, page);
                }
            }
        }

        var few = new RoundTimes(RoundsMax);
        var all = new RoundTimes(RoundsMax);
        Measure(world.UnmapTables, all,
            () => few.Add(pair.Together(thread => Work(thread, false))),
            () => all.Add(pair.Together(thread => Work(thread, true))));
        few.Close();
        all.Close();
        Row(output, "64 vCPUs on two threads / 2 vCPUs, throughput", few.BestWall / all.BestWall,
            few.MedianWall / all.MedianWall, "at least 0.9");
        Row(output, "the same by processor time", few.BestProcessor / all.BestProcessor,
            few.MedianProcessor / all.MedianProcessor, "at least 0.9");
        Tell(output, all);
    }

    /// <summary>Rounds of several pieces of work, in turns, until enough of one's were undisturbed.</summary>
    private static void Measure(Action reset, RoundTimes watched, params ReadOnlySpan<Action> works)
    {
        long started = Stopwatch.GetTimestamp();
        for (int round = 0; round < RoundsMax; round++)
        {
            if (round > WarmUpRounds && Stopwatch.GetElapsedTime(started) > s_rowMax) break;
            if (round >= Rounds && watched.Undisturbed >= UndisturbedRounds) break;
            foreach (Action work in works)
            {
                reset();
                work();
            }
        }
    }

    private static void Row(TextWriter output, string what, double best, double median, string limit) =>
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{what,-72} {best,8:F3} ({median:F3})  {limit}"));

    private static void Tell(TextWriter output, RoundTimes two)
    {
        if (two.Undisturbed * 2 >= two.Count) return;
        output.WriteLine("  Both threads had a processor for the whole of only " + two.Undisturbed + " of " + two.Count
            + " rounds: the machine had fewer than two free.");
    }
}
