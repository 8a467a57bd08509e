using System;
using System.Diagnostics;
using System.Threading;
using Pagoda.Core;
using Pagoda.Machine;
using Pagoda.Machine.Boot;
using Pagoda.Machine.BuiltinGuest;
using Pagoda.Machine.Devices;
using Pagoda.Perf.PageTables;
using Pagoda.Tlb;

namespace Pagoda.Perf.Scaling;

/// <summary>What a shootdown costs whoever takes pages away, and how long a vCPU lets it wait.</summary>
internal static unsafe class ShootdownScaling
{
    /// <summary>vCPUs that poll while pages are shot down.</summary>
    public const int Polling = 8;

    private const int Rounds = 60;
    private const int RepeatsPerRound = 100;
    private const int WaitRounds = 20;
    private const int WaitsPerRound = 101;
    private const int PausesBetween = 2_000;
    private const ulong MemoryBytes = 64UL << 20;
    private const ulong ArenaBytes = 72UL << 20;
    private static readonly TimeSpan s_warmUp = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan s_tierUp = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan s_runMax = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Removes 512 pages while a thread polls for 8 vCPUs, in turn with the shootdown and without. Returns what it adds
    /// to the removal, nanoseconds a page without the wait for the vCPUs, and generations a shootdown.
    /// </summary>
    public static (double Best, double Median, double Generations) Gather()
    {
        using var world = new ScalingWorld(Polling + 1, 2, ScalingWorld.SideBySide, superpages: false);
        ConsumerTable table = world.Guest.Space.Consumers;
        ulong* cells = stackalloc ulong[2];     // Stop; somebody polls.
        var poller = new Thread(() => Poll(world, cells));
        poller.Start();
        while (Shared.Load(cells + 1) == 0) Thread.Yield();
        for (long started = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(started) < s_warmUp;) AddedBy(world);
        Thread.Sleep(s_tierUp);
        double[] times = new double[Rounds];
        ulong before = table.Generation;
        for (int round = 0; round < Rounds; round++) times[round] = AddedBy(world);
        double generations = (table.Generation - before) / (double)(Rounds * RepeatsPerRound);
        Shared.Store(cells, 1);
        poller.Join();
        Array.Sort(times);
        return (times[0], times[Rounds / 2], generations);
    }

    /// <summary>
    /// Shootdowns of a machine whose vCPU runs the built-in guest: microseconds until it has let go, of those that
    /// found it active. The medians of the rounds: the best of them, and theirs.
    /// </summary>
    public static (double Best, double Median, int Waits) WaitForVcpu()
    {
        var map = new MemoryMap(MemoryBytes, CpuidModel.PhysBits);
        var options = new MachineOptions
        {
            Memory = map,
            Boot = BootPlan.ForProgram(MemoryCheckProgram.Gpa, MemoryCheckProgram.Assemble(), map),
            ArenaBytes = ArenaBytes,
            TimeLimit = s_runMax,
        };
        using var machine = new VirtualMachine(options, new SilentSink());
        VirtualMachine.Warm(options);
        ConsumerTable table = machine.Guest.Space.Consumers;
        var vcpu = new Thread(() => machine.Run());
        vcpu.Start();
        double[] medians = new double[WaitRounds];
        double[] times = new double[WaitsPerRound];
        int rounds = 0;
        int count = 0;
        while (rounds < WaitRounds && vcpu.IsAlive)
        {
            // Behind this one its thread has a processor, and soon its translations again.
            table.WaitFor(table.Advance());
            Thread.SpinWait(PausesBetween);
            ulong kicks = table.Kicks;
            ulong tag = table.Advance();
            long started = Stopwatch.GetTimestamp();
            table.WaitFor(tag);
            TimeSpan waited = Stopwatch.GetElapsedTime(started);
            if (table.Kicks == kicks) continue;
            times[count++] = waited.TotalMicroseconds;
            if (count < WaitsPerRound) continue;
            Array.Sort(times);
            medians[rounds++] = times[WaitsPerRound / 2];
            count = 0;
        }
        vcpu.Join();
        Array.Sort(medians, 0, rounds);
        return (medians[0], medians[rounds / 2], rounds * WaitsPerRound);
    }

    /// <summary>The fastest removal that gathers and commits, less the fastest that tells nobody.</summary>
    private static double AddedBy(ScalingWorld world)
    {
        ConsumerTable table = world.Guest.Space.Consumers;
        long with = long.MaxValue;
        long without = long.MaxValue;
        for (int i = 0; i < RepeatsPerRound; i++)
        {
            long started = Stopwatch.GetTimestamp();
            var gather = new ShootdownGather(table, world.Guest.Space.Limbo);
            world.RemoveAcross(Polling, ref gather);
            gather.Commit();
            with = long.Min(with, Stopwatch.GetTimestamp() - started);
            table.WaitFor(table.Generation);
            world.FaultAcross(Polling);

            started = Stopwatch.GetTimestamp();
            var nobody = default(DroppingSink);
            world.RemoveAcross(Polling, ref nobody);
            without = long.Min(without, Stopwatch.GetTimestamp() - started);
            world.FaultAcross(Polling);
        }
        // A time span would round to 100 ns.
        return (with - without) * 1e9 / Stopwatch.Frequency / ScalingWorld.PagesPerWindow;
    }

    private static void Poll(ScalingWorld world, ulong* cells)
    {
        for (int i = 0; i < Polling; i++)
        {
            GuestConsumer vcpu = world.Vcpu(i);
            bool entered = vcpu.Enter(out bool flush);
            Invariant.Require(entered);
            if (flush) vcpu.Acknowledge();
        }
        while (Shared.Load(cells) == 0)
        {
            for (int i = 0; i < Polling; i++)
            {
                if (world.Vcpu(i).Poll()) world.Vcpu(i).Acknowledge();
            }
            Shared.Store(cells + 1, 1);
        }
        for (int i = 0; i < Polling; i++) world.Vcpu(i).Exit();
    }

    private sealed class SilentSink : IConsoleSink
    {
        public bool Write(ReadOnlySpan<byte> bytes) => true;
    }
}
