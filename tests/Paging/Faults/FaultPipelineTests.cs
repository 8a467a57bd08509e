using System;
using System.IO;
using System.Threading.Tasks;
using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Diagnostics;
using Pagoda.Faults;
using Pagoda.Physical;
using Pagoda.Reclaim;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Faults;

public sealed class FaultPipelineTests
{
    private Arena _arena = null!;

    [SetUp]
    public void SetUp() => _arena = new Arena(new ArenaOptions { Bytes = 16 << 20 });

    [TearDown]
    public void TearDown()
    {
        ArenaBalance.AssertWhole(_arena);
        _arena.Dispose();
    }

    [TestCaseSource(typeof(GuestFormats), nameof(GuestFormats.All))]
    public void ABatchLongerThanAPassIsTakenInTurns(GuestFormat format)
    {
        const int Lanes = 200;
        using var guest = new Guest(_arena, format.Options());
        using GuestConsumer consumer = guest.AddConsumer();
        guest.MapMemory(new Gpa(0), 1UL << 30);
        ulong[] gpa = new ulong[Lanes];
        var access = new Prot[Lanes];
        ulong[] hpa = new ulong[Lanes];
        var status = new FaultStatus[Lanes];
        var random = new SeededGenerator(5);
        for (int i = 0; i < Lanes; i++)
        {
            gpa[i] = random.Below(1UL << 30);
            access[i] = random.OneIn(2) ? Prot.Read : Prot.Write;
        }
        Assert.That(consumer.Fault(new FaultBatch(gpa, access, hpa, status)), Is.EqualTo(Lanes));
        Assert.That(status, Is.All.EqualTo(FaultStatus.Resolved));
        for (int i = 0; i < Lanes; i++)
        {
            Assert.That(guest.TryTranslate(new Gpa(gpa[i]), access[i], out Hpa now), Is.True);
            Assert.That(now.Value, Is.EqualTo(hpa[i]));
            Assert.That(hpa[i] & 0xFFF, Is.EqualTo(gpa[i] & 0xFFF));
        }
        Assert.That(consumer.Fault(new FaultBatch(gpa, access, hpa, status)), Is.EqualTo(Lanes));
        Assert.That(status, Is.All.EqualTo(FaultStatus.Spurious));
        guest.Pmap.CheckConsistency();
    }

    [Test]
    public void AfterAThrowOnTheWayNoCallIsUnderWayAndNoPageIsBusy([Values] bool whileMakingRoom)
    {
        var listener = new ThrowingListener();
        using var small = new Arena(new ArenaOptions { Bytes = 128 << 12 });
        using var daemon = new PageDaemon(small, new PageDaemonOptions { Listener = listener });
        using var memory = new VmObject(small, 1 << 20, new MemoryPager { Throws = new IOException("no store") });
        var pager = new ProbePager();
        var guest = new Guest(small, new GuestOptions { Superpages = false });
        using GuestConsumer consumer = guest.AddConsumer();
        guest.MapRom(new Gpa(0), 0x4000, pager);
        guest.MapObject(new Gpa(1 << 20), memory, 0, 1 << 20);
        if (whileMakingRoom)
        {
            Assert.That(() => WriteAll(consumer), Throws.TypeOf<IOException>());
        }
        else
        {
            pager.Broken.Add(0);
            Assert.That(() => consumer.Fault(new FaultBatch([0, 0x1000], [Prot.Read, Prot.Read], new ulong[2],
                new FaultStatus[2])), Throws.TypeOf<TimeoutException>());
            Assert.That(consumer.Fault(0x1000, Prot.Read, out _), Is.EqualTo(FaultStatus.Resolved));
        }
        Assert.That(Task.Run(guest.Dispose).Wait(TimeSpan.FromSeconds(20)), Is.True, "waits for a call that is over");
    }

    [Test]
    public void AnEmptyBatchIsNothing()
    {
        using var guest = new Guest(_arena, new GuestOptions());
        using GuestConsumer consumer = guest.AddConsumer();
        Assert.That(consumer.Fault(new FaultBatch([], [], [], [])), Is.Zero);
    }

    [TestCaseSource(typeof(GuestFormats), nameof(GuestFormats.All))]
    public void FaultsAllocateNothing(GuestFormat format)
    {
        const int Lanes = 64;
        using var guest = new Guest(_arena, format.Options());
        using GuestConsumer consumer = guest.AddConsumer();
        guest.MapMemory(new Gpa(0), 1UL << 30);
        guest.MapRom(new Gpa(1UL << 30), new byte[64 << 12]);
        ulong[] gpa = new ulong[Lanes];
        var access = new Prot[Lanes];
        ulong[] hpa = new ulong[Lanes];
        var status = new FaultStatus[Lanes];
        var random = new SeededGenerator(6);
        long bytes = Allocations.Of(() =>
        {
            for (int i = 0; i < Lanes; i++)
            {
                gpa[i] = random.OneIn(4) ? (1UL << 30) + random.Below(64UL << 12) : random.Below(1UL << 24);
                access[i] = Prot.Read;
            }
            consumer.Fault(new FaultBatch(gpa, access, hpa, status));
            for (int i = 0; i < Lanes; i++) consumer.Fault(random.Below(1UL << 24), Prot.Write, out _);
        });
        Assert.That(bytes, Is.Zero);
        GuestCounters counters = guest.Counters;
        Assert.That(counters.NestedFaults, Is.GreaterThan(100));
        Assert.That(counters.PagerReads, Is.Positive);
    }

    private static void WriteAll(GuestConsumer consumer)
    {
        for (ulong gpa = 1 << 20; gpa < 2 << 20; gpa += 0x1000)
        {
            Assert.That(consumer.Fault(gpa, Prot.Write, out _), Is.EqualTo(FaultStatus.Resolved));
        }
    }

    private sealed class ThrowingListener : IPressureListener
    {
        public void Pressure(ReclaimResult result)
        {
        }

        public void PageLost(VmObject memory, ulong page) => throw new TimeoutException("the host is busy");
    }
}
