using System.Threading;
using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Diagnostics;
using Pagoda.Faults;
using Pagoda.GuestAccess;
using Pagoda.PageTables;
using Pagoda.Physical;
using Pagoda.Reclaim;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Faults;

public sealed unsafe class FaultRunPopulateTests
{
    private const ulong Window = Paging.WindowBytes;

    private static GuestOptions Policy(TableKind kind = TableKind.Ept, bool hardwareAd = true) => new()
    {
        Tables = kind, HardwareAd = hardwareAd, Policy = SuperpagePolicy.Superpage,
    };

    [TestCase(TableKind.Ept, true, 0x7F7UL)]
    [TestCase(TableKind.Ept, false, 0x00300000000004F7UL)]
    [TestCase(TableKind.Rvi, true, 0x4E7UL)]
    public void AWriteMapsTheWholeWindowAsWritten(TableKind kind, bool hardwareAd, ulong rights)
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 16 << 20 });
        using (var guest = new Guest(arena, Policy(kind, hardwareAd)))
        {
            guest.MapMemory(new Gpa(0), 4 * Window);
            using GuestConsumer consumer = guest.AddConsumer();
            Assert.That(consumer.Fault(Window + 0x12345, Prot.Write, out ulong hpa), Is.EqualTo(FaultStatus.Resolved));
            Assert.That(hpa & Paging.WindowOffsetMask, Is.EqualTo(0x12345));
            GuestCounters counters = guest.Counters;
            Assert.That(counters.Superpages, Is.EqualTo(1));
            Assert.That(counters.NestedFaults, Is.EqualTo(1));
            Assert.That(counters.ZeroFills, Is.EqualTo(512));
            Assert.That(counters.Promotions, Is.Zero, "it was not made of small leaves");
            consumer.Consumer.TryEnter();
            ulong entry = guest.Pmap.Lookup(Window, out int level);
            consumer.Consumer.Exit();
            Assert.That(level, Is.EqualTo(2));
            Assert.That(entry, Is.EqualTo((hpa & ~(ulong)Paging.WindowOffsetMask) | rights));
            for (uint i = 0; i < 512; i++)
            {
                uint pfn = (uint)(entry >> 12 & 0xFFFFF) + i;
                Assert.That(arena.Frames.StateOf(pfn), Is.EqualTo(FrameState.Page));
                Assert.That(arena.Frames.Record(pfn)->Index, Is.EqualTo(512 + i));
                Assert.That(PageZeroing.IsZero(arena.DirectMap((ulong)pfn << 12)), Is.True);
            }
            Assert.That(consumer.Fault(Window + 0x5000, Prot.Write, out _), Is.EqualTo(FaultStatus.Spurious));
            guest.Pmap.CheckConsistency();
            guest.Unmap(new Gpa(Window), 0x1000);
            Assert.That(guest.Counters.ResidentPages, Is.EqualTo(511));
            guest.Pmap.CheckConsistency();
        }
        ArenaBalance.AssertWhole(arena);
    }

    [Test]
    public void AReadMapsOnePageAndTheWindowStaysSmall()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 16 << 20 });
        using var guest = new Guest(arena, Policy());
        guest.MapMemory(new Gpa(0), 2 * Window);
        using GuestConsumer consumer = guest.AddConsumer();
        Assert.That(consumer.Fault(0x3000, Prot.Read, out _), Is.EqualTo(FaultStatus.Resolved));
        Assert.That(consumer.Fault(0x4000, Prot.Write, out _), Is.EqualTo(FaultStatus.Resolved));
        Assert.That(guest.Counters.ResidentPages, Is.EqualTo(2));
        Assert.That(guest.Counters.Superpages, Is.Zero);
    }

    [Test]
    public void AWindowThatNoEntryShowsWholeAndATableFormatWithoutSuperpagesStaySmall()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 16 << 20 });
        using var guest = new Guest(arena, Policy());
        guest.MapMemory(new Gpa(0x1000), Window);
        guest.Write(new Gpa(0x2000), [1]);
        Assert.That(guest.Counters.ResidentPages, Is.EqualTo(1));
        using var small = new Guest(arena, Policy() with { Superpages = false });
        small.MapMemory(new Gpa(0), Window);
        small.Write(new Gpa(0x2000), [1]);
        Assert.That(small.Counters.ResidentPages, Is.EqualTo(1));
    }

    [Test]
    public void WithoutARunOrRoomInTheBudgetTheFaultMapsOnePage()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 6 << 20 });
        using var guest = new Guest(arena, Policy());
        guest.MapMemory(new Gpa(0), 4 * Window);
        guest.Write(new Gpa(0), [1]);
        Assert.That(guest.Counters.Superpages, Is.EqualTo(1));
        using (new PageDaemon(arena, new PageDaemonOptions { ResidentBytes = 3 << 20 }))
        {
            guest.Write(new Gpa(Window), [1]);
            Assert.That(guest.Counters.ResidentPages, Is.EqualTo(513), "a whole window would go past the budget");
            Assert.That(arena.Reservations.Active, Is.Zero);
        }
        // Fragments: no run of 512 is left.
        uint kept = arena.Allocator.TryTake(9);
        uint loose = arena.Allocator.TryTake(0);
        guest.Write(new Gpa(2 * Window), [1]);
        Assert.That(guest.Counters.Superpages, Is.EqualTo(1));
        Assert.That(guest.Counters.ResidentPages, Is.EqualTo(514));
        Assert.That(guest.Write(new Gpa(3 * Window), [1]), Is.EqualTo(FaultStatus.Resolved));
        if (kept != 0) arena.Allocator.Give(kept, 9);
        arena.Allocator.Give(loose, 0);
    }

    [Test]
    public void LanesOfOneBatchInTheWindowFindTheSuperpage()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 16 << 20 });
        using var guest = new Guest(arena, Policy());
        guest.MapMemory(new Gpa(0), 4 * Window);
        using GuestConsumer consumer = guest.AddConsumer();
        ulong[] gpa = [0x1000, 0x5000, Window, Window + 0x1FF000, 0x1000, 2 * Window];
        Prot[] access = [Prot.Read, Prot.Write, Prot.Write, Prot.Write, Prot.Read, Prot.Read];
        ulong[] hpa = new ulong[6];
        var status = new FaultStatus[6];
        Assert.That(consumer.Fault(new FaultBatch(gpa, access, hpa, status)), Is.EqualTo(6));
        Assert.That(guest.Counters.Superpages, Is.EqualTo(2));
        Assert.That(guest.Counters.ResidentPages, Is.EqualTo(1025));
        Assert.That(hpa[1] - hpa[0], Is.EqualTo(0x4000));
        Assert.That(hpa[3] - hpa[2], Is.EqualTo(0x1FF000));
        Assert.That(hpa[4], Is.EqualTo(hpa[0]));
    }

    [Test]
    public void WiredMemoryGetsAGiBAtOnceWhereItMay()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 2560UL << 20 });
        using (var guest = new Guest(arena, new GuestOptions { Gigapages = true }))
        {
            guest.MapMemory(new Gpa(0), 2UL << 30);
            guest.Write(new Gpa(0x1000), [7]);
            guest.Wire(new Gpa(1UL << 30), 1UL << 30);
            GuestCounters counters = guest.Counters;
            Assert.That(counters.Gigapages, Is.EqualTo(1));
            Assert.That(counters.WiredPages, Is.EqualTo(1UL << 18));
            Assert.That(guest.Pmap.GetStatistics().ReservePages, Is.EqualTo(513));
            guest.Pmap.CheckConsistency();
            guest.Unwire(new Gpa(1UL << 30), 0x1000);
            Assert.That(guest.Counters.WiredPages, Is.EqualTo((1UL << 18) - 1));
            Assert.That(guest.Counters.Gigapages, Is.Zero);
            guest.Pmap.CheckConsistency();
            guest.Unwire(new Gpa((1UL << 30) + 0x1000), (1UL << 30) - 0x1000);
        }
        ArenaBalance.AssertWhole(arena);
    }

    [Test]
    public void PopulatedMemoryGetsAGiBAtOnceWhereItMay()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 2560UL << 20 });
        using (var guest = new Guest(arena, new GuestOptions { Gigapages = true }))
        {
            guest.MapMemory(new Gpa(0), 1UL << 30);
            guest.Advise(new Gpa(0), 1UL << 30, Advice.Populate);
            Assert.That(guest.Counters.Gigapages, Is.EqualTo(1));
            Assert.That(guest.Counters.ResidentPages, Is.EqualTo(1UL << 18));
            Assert.That(guest.Counters.NestedFaults, Is.EqualTo(1));
            guest.Protect(new Gpa(0x20_1000), 0x1000, Prot.Read);
            Assert.That(guest.Counters.Gigapages, Is.Zero);
            Assert.That(guest.Counters.Superpages, Is.EqualTo(511));
            guest.Pmap.CheckConsistency();
        }
        ArenaBalance.AssertWhole(arena);
    }

    [Test]
    public void WhatIsPopulatedWhileTheMapChangesIsOfTheMapInForce()
    {
        const int Rounds = 300;
        using var arena = new Arena(new ArenaOptions { Bytes = 32 << 20 });
        using (var guest = new Guest(arena, Policy()))
        {
            guest.MapMemory(new Gpa(0), 4 * Window);
            int failures = 0;
            bool stop = false;
            var vcpu = new Thread(() =>
            {
                using GuestConsumer consumer = guest.AddConsumer();
                for (ulong i = 0; !Volatile.Read(ref stop); i++)
                {
                    FaultStatus status = consumer.Fault((i & 3) * Window, Prot.Write, out _);
                    if (status is > FaultStatus.Emulated and not FaultStatus.NoMapping) failures++;
                }
            });
            vcpu.Start();
            for (int round = 0; round < Rounds; round++)
            {
                guest.Unmap(new Gpa(Window), 2 * Window);
                // No entry shows it, so no table may: a fault that was on its way must not enter what it located.
                Assert.That(guest.TryTranslate(new Gpa(Window), Prot.None, out _), Is.False, $"round {round}");
                Assert.That(guest.TryTranslate(new Gpa(2 * Window), Prot.None, out _), Is.False, $"round {round}");
                Thread.Yield();
                Assert.That(guest.TryTranslate(new Gpa(Window), Prot.None, out _), Is.False, $"round {round}");
                guest.MapMemory(new Gpa(Window), 2 * Window);
            }
            Volatile.Write(ref stop, true);
            vcpu.Join();
            Assert.That(failures, Is.Zero);
            guest.Pmap.CheckConsistency();
        }
        ArenaBalance.AssertWhole(arena);
    }

    [Test]
    public void ManyThreadsOnOneUntouchedWindowShareOneSuperpage([Values] SuperpagePolicy policy)
    {
        const int Threads = 4;
        using var arena = new Arena(new ArenaOptions { Bytes = 32 << 20 });
        using (var guest = new Guest(arena, new GuestOptions { Policy = policy }))
        {
            guest.MapMemory(new Gpa(0), 8 * Window);
            var frames = new ulong[Threads, 512];
            for (ulong window = 0; window < 8; window++)
            {
                using var start = new Barrier(Threads);
                var threads = new Thread[Threads];
                for (int t = 0; t < Threads; t++)
                {
                    int me = t;
                    threads[t] = new Thread(() =>
                    {
                        using GuestConsumer consumer = guest.AddConsumer();
                        start.SignalAndWait();
                        for (int i = 0; i < 512; i++)
                        {
                            int page = (i + me * 128) & 511;
                            ulong gpa = window * Window + (ulong)page * Paging.PageBytes;
                            FaultStatus status = consumer.Fault(gpa, Prot.Write, out ulong hpa);
                            frames[me, page] = status <= FaultStatus.Emulated ? hpa : 0;
                        }
                    });
                    threads[t].Start();
                }
                foreach (Thread thread in threads) thread.Join();
                for (int page = 0; page < 512; page++)
                {
                    for (int t = 0; t < Threads; t++)
                    {
                        ulong expected = (frames[0, 0] & ~(ulong)Paging.WindowOffsetMask) + (ulong)page * 4096;
                        Assert.That(frames[t, page], Is.EqualTo(expected), $"window {window} thread {t} page {page}");
                    }
                }
            }
            Assert.That(guest.Counters.Superpages, Is.EqualTo(8));
            Assert.That(guest.Counters.ZeroFills, Is.EqualTo(8 * 512));
            Assert.That(arena.Reservations.Active, Is.Zero);
            guest.Pmap.CheckConsistency();
        }
        ArenaBalance.AssertWhole(arena);
    }
}
