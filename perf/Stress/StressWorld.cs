using System;
using System.Globalization;
using System.IO;
using System.Threading;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Diagnostics;
using Pagoda.Pagers;
using Pagoda.Physical;
using Pagoda.Reclaim;

namespace Pagoda.Perf.Stress;

/// <summary>
/// One guest of one format with half as much memory again as it may keep, over a swap file: two vCPUs, a device,
/// a control thread and the page daemon, all at once; and a second guest that shows some of the memory too.
/// </summary>
internal static class StressWorld
{
    /// <summary>Two windows begin and end inside the memory.</summary>
    public const ulong Start = 3UL << 20;

    public const ulong Elsewhere = 1UL << 34;

    /// <summary>Comes and goes, and is written meanwhile.</summary>
    public const ulong Scratch = 1UL << 35;

    /// <summary>Is made of the same frames, and never written.</summary>
    public const ulong Still = 1UL << 36;

    /// <summary>Loses its content, and is shown by both guests.</summary>
    public const ulong Dropped = 1UL << 37;

    public const ulong ScratchPages = 32;
    private const ulong ResidentPages = 1024;
    private const ulong Pages = ResidentPages * 3 / 2;
    private const ulong PageBytes = 4096;
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    /// <summary>Plays for a while.</summary>
    /// <param name="format">The tables.</param>
    /// <param name="time">How long.</param>
    /// <param name="seed">Of the choices; schedules are the system's.</param>
    /// <param name="output">Receives one line.</param>
    /// <returns>Null when everything was right; else what was not.</returns>
    public static string? Run(StressFormat format, TimeSpan time, ulong seed, TextWriter output)
    {
        string path = Path.Combine(Path.GetTempPath(), "pagoda-stress-" + Environment.ProcessId + ".swap");
        // Neither is disposed when something is wrong: a thread that died in its slot would be waited for.
        var file = new SwapFile(new SwapFileOptions { Path = path, Bytes = 2 * Pages * PageBytes, ResetStale = true });
        File.Delete(path);
        var swap = new SwapSpace(file);
        // Little more than may be in use: a daemon that falls behind shows.
        var arena = new Arena(new ArenaOptions { Bytes = ResidentPages * 5 / 4 * PageBytes });
        var daemon = new PageDaemon(arena, new PageDaemonOptions { ResidentBytes = ResidentPages * PageBytes });
        var guest = new Guest(arena, format.Options() with { Swap = swap });
        guest.MapMemory(new Gpa(Start), Pages * PageBytes);
        var peer = new Guest(arena, format.Options());
        ShowDropped(guest, peer);
        var ledger = new StressLedger((int)Pages);
        var drops = new StressDrops(ledger);
        var control = new StressControl(guest, peer, ledger, drops, Pages);
        var vcpus = new StressVcpu[2];
        for (int i = 0; i < vcpus.Length; i++) vcpus[i] = new StressVcpu(guest, ledger, drops, i, Pages);
        var device = new StressDevice(guest, peer, ledger, drops, 2, Pages);
        Thread[] threads =
        [
            Spawn(ledger, () => vcpus[0].Run(seed)), Spawn(ledger, () => vcpus[1].Run(seed + 1)),
            Spawn(ledger, () => device.Run(seed + 2)), Spawn(ledger, () => control.Run(seed + 3)),
            Spawn(ledger, () => Reclaim(ledger, daemon)),
        ];
        bool ended = threads[0].Join(time);
        ledger.Stop();
        foreach (Thread thread in threads)
        {
            if (!thread.Join(s_patience)) ledger.Fail("a thread hangs");
        }
        if (ledger.Failure is null && !ended) control.Verify();
        if (ledger.Failure is not null) return ledger.Failure;
        guest.Pmap.CheckConsistency();
        peer.Pmap.CheckConsistency();
        GuestCounters counters = guest.Counters;
        foreach (StressVcpu vcpu in vcpus) vcpu.Dispose();
        peer.Dispose();
        guest.Dispose();
        string? leak = FindLeak(arena, swap);
        daemon.Dispose();
        swap.Dispose();
        file.Dispose();
        arena.Dispose();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{format,-18} {ledger.Operations,12:N0} accesses  {counters.NestedFaults,11:N0} faults  "
            + $"{counters.SwapIns,9:N0} pages in  {counters.SwapOuts,9:N0} out  "
            + $"{counters.Invalidations,9:N0} invalidations  {counters.Holds,10:N0} holds  "
            + $"{drops.Drops,9:N0} drops"));
        return leak;
    }

    private static void ShowDropped(Guest guest, Guest peer)
    {
        const ulong Bytes = StressDrops.Pages * PageBytes;
        using VmObject memory = guest.MakeMemory(Bytes);
        guest.MapObject(new Gpa(Dropped), memory, 0, Bytes);
        peer.MapObject(new Gpa(Dropped), memory, 0, Bytes);
    }

    private static string? FindLeak(Arena arena, SwapSpace swap)
    {
        ulong free = arena.Allocator.FreeFrames + (ulong)arena.Zeroed.Stock;
        if (free != arena.FrameCount - 1) return "frames leaked: " + (arena.FrameCount - 1 - free);
        ulong slots = swap.Store.Slots - swap.Slots.Free;
        return slots == 0 ? null : "swap slots leaked: " + slots;
    }

    private static void Reclaim(StressLedger ledger, PageDaemon daemon)
    {
        while (!ledger.IsOver)
        {
            daemon.Step();
            Thread.Sleep(1);
            daemon.Reclaim(16);
        }
    }

    private static Thread Spawn(StressLedger ledger, Action action)
    {
        var thread = new Thread(() =>
        {
            try
            {
                action();
            }
            catch (Exception failure)
            {
                ledger.Fail(failure.ToString());
            }
        }) { IsBackground = true };
        thread.Start();
        return thread;
    }
}
