using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Diagnostics;
using Pagoda.Faults;
using Pagoda.PageTables;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Faults;

public sealed class FaultRunPromoteTests
{
    private const ulong Window = Paging.WindowBytes;

    private static void TouchAll(GuestConsumer consumer, Prot access)
    {
        for (ulong gpa = 0; gpa < Window; gpa += 0x1000)
        {
            Assert.That(consumer.Fault(gpa, access, out ulong hpa), Is.Not.EqualTo(FaultStatus.OutOfMemory));
            Assert.That(hpa, Is.Not.Zero);
        }
    }

    [TestCase(TableKind.Ept, true)]
    [TestCase(TableKind.Ept, false)]
    [TestCase(TableKind.Rvi, true)]
    [TestCase(TableKind.X86, true)]
    public void AWindowWrittenPageByPageBecomesASuperpage(TableKind kind, bool hardwareAd)
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 16 << 20 });
        using (var guest = new Guest(arena, new GuestOptions { Tables = kind, HardwareAd = hardwareAd }))
        {
            guest.MapMemory(new Gpa(0), Window);
            using GuestConsumer consumer = guest.AddConsumer();
            TouchAll(consumer, Prot.Write);
            GuestCounters counters = guest.Counters;
            Assert.That(counters.Promotions, Is.EqualTo(1));
            Assert.That(counters.PromotionFailures, Is.Zero);
            Assert.That(counters.Superpages, Is.EqualTo(1));
            Assert.That(counters.NestedFaults, Is.EqualTo(512));
            Assert.That(counters.ResidentPages, Is.EqualTo(512));
            guest.Pmap.CheckConsistency();

            guest.Protect(new Gpa(0x5000), 0x1000, Prot.Read);
            Assert.That(guest.Counters.Demotions, Is.EqualTo(1));
            Assert.That(guest.Counters.Superpages, Is.Zero);
            Assert.That(consumer.Fault(0x5000, Prot.Write, out _), Is.EqualTo(FaultStatus.Protection));
            guest.Pmap.CheckConsistency();
            guest.Protect(new Gpa(0x5000), 0x1000, Prot.All);
            Assert.That(consumer.Fault(0x5000, Prot.Write, out _), Is.EqualTo(FaultStatus.Resolved));
            Assert.That(guest.Counters.Promotions, Is.EqualTo(2));
        }
        ArenaBalance.AssertWhole(arena);
    }

    [TestCase(TableKind.Ept, true)]
    [TestCase(TableKind.Ept, false)]
    [TestCase(TableKind.Rvi, true)]
    public void PagesReadFirstAndWrittenLaterCostWhatTheyCostWithoutSuperpages(TableKind kind, bool hardwareAd)
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 16 << 20 });
        using var guest = new Guest(arena, new GuestOptions { Tables = kind, HardwareAd = hardwareAd });
        guest.MapMemory(new Gpa(0), Window);
        using GuestConsumer consumer = guest.AddConsumer();
        TouchAll(consumer, Prot.Read);
        Assert.That(guest.Counters.Promotions, Is.EqualTo(1));
        Assert.That(guest.Counters.Invalidations, Is.Zero);
        Assert.That(guest.Counters.NestedFaults, Is.EqualTo(512));
        TouchAll(consumer, Prot.Write);
        GuestCounters counters = guest.Counters;
        Assert.That(counters.Demotions, Is.EqualTo(1));
        Assert.That(counters.DirtyEmulations, Is.EqualTo(hardwareAd ? 0 : 512));
        // With hardware bits the first write is a fault that demotes; the others the processor marks by itself.
        Assert.That(counters.NestedFaults, Is.EqualTo(hardwareAd ? 513 : 512));
        Assert.That(counters.Promotions, Is.EqualTo(hardwareAd ? 1 : 2));
        Assert.That(counters.Invalidations, Is.Zero, "neither promotion nor demotion makes a translation wrong");
        guest.Pmap.CheckConsistency();
    }

    [Test]
    public void TablesOfPromotionsAreFreeAgainWhenMemoryIsShort()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 16 << 20 });
        using (var guest = new Guest(arena, new GuestOptions()))
        {
            guest.MapMemory(new Gpa(0), 64 << 20);
            using GuestConsumer consumer = guest.AddConsumer();
            ulong gpa = 0;
            while (consumer.Fault(gpa, Prot.Write, out _) == FaultStatus.Resolved) gpa += 0x1000;
            Assert.That(guest.Counters.Promotions, Is.GreaterThan(4));
            // Everything is in use: what limbo had went into pages.
            Assert.That(guest.Space.Limbo.Count, Is.Zero);
            Assert.That(arena.Allocator.FreeFrames, Is.Zero);
            Assert.That(guest.Counters.Invalidations, Is.LessThan(4));
        }
        ArenaBalance.AssertWhole(arena);
    }

    [Test]
    public void TheEmulationTriesOnceAWindowIsFullAndCountsWhetherOrNotItWorks()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 16 << 20 });
        using var guest = new Guest(arena, new GuestOptions { HardwareAd = false });
        guest.MapMemory(new Gpa(0), Window);
        using GuestConsumer consumer = guest.AddConsumer();
        TouchAll(consumer, Prot.Write);
        guest.Protect(new Gpa(0), 0x1000, Prot.Read);
        guest.Protect(new Gpa(0), 0x1000, Prot.All);
        Assert.That(consumer.Consumer.TryEnter(), Is.True);
        guest.Pmap.ClearReferenced(0x1000, out _);
        guest.Pmap.ClearReferenced(0x2000, out _);
        consumer.Consumer.Exit();
        Assert.That(consumer.Fault(0, Prot.Write, out _), Is.EqualTo(FaultStatus.Resolved));
        ulong promotions = guest.Counters.Promotions;
        Assert.That(guest.Counters.AdEmulationSuperpagePromotions, Is.Zero);
        Assert.That(consumer.Fault(0x1000, Prot.Write, out _), Is.EqualTo(FaultStatus.Emulated));
        Assert.That(guest.Counters.AdEmulationSuperpagePromotions, Is.EqualTo(1));
        Assert.That(guest.Counters.Promotions, Is.EqualTo(promotions));
        Assert.That(consumer.Fault(0x2000, Prot.Write, out _), Is.EqualTo(FaultStatus.Emulated));
        Assert.That(guest.Counters.AdEmulationSuperpagePromotions, Is.EqualTo(2));
        Assert.That(guest.Counters.Promotions, Is.EqualTo(promotions + 1));
    }
}
