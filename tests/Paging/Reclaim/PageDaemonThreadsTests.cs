using System;
using System.Threading;
using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.Pagers;
using Pagoda.Physical;
using Pagoda.Reclaim;
using Pagoda.Tests.Pagers;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Reclaim;

/// <summary>
/// The daemon's threads: room ahead of need, several writes at once, an end that finishes what was begun.
/// </summary>
[TestFixtureSource(typeof(GuestFormats), nameof(GuestFormats.All))]
public sealed class PageDaemonThreadsTests(GuestFormat format)
{
    private const ulong PageBytes = 4096;
    private const ulong Pages = 400;
    private const int Vcpus = 2;

    [Test]
    public void TheDaemonMakesRoomWhenFaultsRing()
    {
        using var world = new World(format, residentFrames: 200);
        using var vcpu = new TestVcpu(world.Guest);
        for (ulong page = 0; page < Pages; page++) Write(vcpu, page * PageBytes, (byte)(page + 1));
        // Nobody steps the daemon.
        while (world.Daemon.UsedFrames + 16 > 200) Thread.Yield();
        for (ulong page = 0; page < Pages; page++)
        {
            Assert.That(Read(vcpu, page * PageBytes), Is.EqualTo((byte)(page + 1)), "page " + page);
        }
        Assert.That(world.Guest.Counters.SwapOuts, Is.Positive);
    }

    [Test]
    public void SeveralVcpusOverTheThreadsLoseNothing()
    {
        using var world = new World(format, residentFrames: 240);
        var threads = new Thread[Vcpus];
        var errors = new string?[Vcpus];
        for (int i = 0; i < Vcpus; i++)
        {
            int index = i;
            threads[i] = new Thread(() => errors[index] = Hammer(world, index));
            threads[i].Start();
        }
        foreach (Thread thread in threads) thread.Join();
        Assert.That(errors, Is.All.Null);
        Assert.That(world.Guest.Counters.SwapIns, Is.Positive);
        Assert.That(world.Lost, Is.Zero);
    }

    [Test]
    public void AFullStoreIsToldAndNothingIsLost()
    {
        using var world = new World(format, residentFrames: 120, slots: 30);
        using var vcpu = new TestVcpu(world.Guest);
        ulong page = 0;
        while (page < Pages && vcpu.Touch(At(page), (byte)(page + 1), out _) == FaultStatus.Resolved) page++;
        Assert.That(world.Told, Is.EqualTo(ReclaimEnd.SwapFull));
        world.Guest.Unmap(new Gpa(0), 100 * PageBytes);
        for (ulong read = 100; read < page; read++)
        {
            Assert.That(Read(vcpu, read * PageBytes), Is.EqualTo((byte)(read + 1)), "page " + read);
        }
    }

    private static ulong At(ulong page) => page * PageBytes;

    /// <summary>Writes and checks pages of its own and reads those of others; returns what went wrong.</summary>
    private static string? Hammer(World world, int index)
    {
        var random = new SeededGenerator(0xD43 + (ulong)index);
        using var vcpu = new TestVcpu(world.Guest);
        var shadow = new byte[Pages];
        for (int i = 0; i < 12_000; i++)
        {
            ulong page = random.Below(Pages / Vcpus) * Vcpus + (ulong)index;
            ulong gpa = page * PageBytes + (ulong)index;
            if (random.OneIn(2))
            {
                byte value = (byte)random.Next();
                Write(vcpu, gpa, value);
                shadow[page] = value;
                continue;
            }
            byte found = Read(vcpu, gpa);
            if (found != shadow[page]) return "page " + page + ": " + found + ", not " + shadow[page] + "; " + random;
        }
        return null;
    }

    private static byte Read(TestVcpu vcpu, ulong gpa)
    {
        FaultStatus status = vcpu.Touch(gpa, null, out byte value);
        return status == FaultStatus.Resolved ? value : throw new InvalidOperationException("read: " + status);
    }

    private static void Write(TestVcpu vcpu, ulong gpa, byte value)
    {
        FaultStatus status = vcpu.Touch(gpa, value, out _);
        if (status != FaultStatus.Resolved) throw new InvalidOperationException("write: " + status);
    }

    private sealed class World : IPressureListener, IDisposable
    {
        private readonly SwapSpace _space;
        private int _lost;
        private int _told;

        public World(GuestFormat format, ulong residentFrames, uint slots = 600)
        {
            Arena = new Arena(new ArenaOptions { Bytes = 1024 * PageBytes });
            Daemon = new PageDaemon(Arena, new PageDaemonOptions
            {
                ResidentBytes = residentFrames * PageBytes,
                LowBytes = 16 * PageBytes,
                HighBytes = 48 * PageBytes,
                Threads = 2,
                Listener = this,
            });
            _space = new SwapSpace(new MemorySwapStore(slots));
            Guest = new Guest(Arena, format.Options() with { Swap = _space });
            Guest.MapMemory(new Gpa(0), Pages * PageBytes);
        }

        public Arena Arena { get; }

        public PageDaemon Daemon { get; }

        public Guest Guest { get; }

        public int Lost => Volatile.Read(ref _lost);

        public ReclaimEnd Told => (ReclaimEnd)Volatile.Read(ref _told);

        public void Pressure(ReclaimResult result) => Volatile.Write(ref _told, (int)result.End);

        public void PageLost(VmObject memory, ulong page) => Interlocked.Increment(ref _lost);

        public void Dispose()
        {
            Guest.Dispose();
            Daemon.Dispose();
            ArenaBalance.AssertWhole(Arena);
            Assert.That(_space.Slots.Free, Is.EqualTo(_space.Slots.Capacity));
            _space.Dispose();
            Arena.Dispose();
        }
    }
}
