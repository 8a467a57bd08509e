using System;
using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Diagnostics;
using Pagoda.Faults;
using Pagoda.PageTables;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests;

public sealed unsafe class GuestTests
{
    private const ulong ArenaBytes = 16UL << 20;
    private Arena _arena = null!;

    [SetUp]
    public void SetUp() => _arena = new Arena(new ArenaOptions { Bytes = ArenaBytes });

    [TearDown]
    public void TearDown() => _arena.Dispose();

    [TestCaseSource(typeof(GuestFormats), nameof(GuestFormats.All))]
    public void MemoryReadsZeroAndKeepsWhatIsWritten(GuestFormat format)
    {
        using (var guest = new Guest(_arena, format.Options()))
        using (var vcpu = new TestVcpu(guest))
        {
            guest.MapMemory(new Gpa(0), 1UL << 30);
            Assert.That(vcpu.Read(0x12345), Is.Zero);
            vcpu.Write(0x12345, 77);
            vcpu.Write(0x3FFF_FFFF, 78);
            Assert.That(vcpu.Read(0x12345), Is.EqualTo(77));
            Assert.That(vcpu.Read(0x3FFF_FFFF), Is.EqualTo(78));
            Assert.That(guest.Counters.ResidentPages, Is.EqualTo(2));
            guest.Pmap.CheckConsistency();
        }
        ArenaBalance.AssertWhole(_arena);
    }

    [Test]
    public void EmulationCountsOneFaultForAFirstWriteAndOneEmulationForAReadThenAWrite()
    {
        using var guest = new Guest(_arena, GuestFormat.EptEmulated.Options());
        using var vcpu = new TestVcpu(guest);
        guest.MapMemory(new Gpa(0), 1UL << 20);
        vcpu.Write(0x1000, 1);
        vcpu.Read(0x1000);
        GuestCounters written = guest.Counters;
        Assert.That(written.NestedFaults, Is.EqualTo(1));
        Assert.That(written.DirtyEmulations + written.AccessedEmulations + written.SpuriousFaults, Is.Zero);

        Assert.That(vcpu.TryAccess(0x2000, Prot.Execute, out _), Is.EqualTo(FaultStatus.Resolved));
        vcpu.Read(0x2000);
        vcpu.Write(0x2000, 2);
        vcpu.Write(0x2000, 3);
        GuestCounters executed = guest.Counters;
        Assert.That(executed.NestedFaults, Is.EqualTo(2));
        Assert.That(executed.DirtyEmulations, Is.EqualTo(1));
        Assert.That(executed.AccessedEmulations, Is.Zero);
    }

    [TestCase(GuestFormat.Ept)]
    [TestCase(GuestFormat.Rvi)]
    [TestCase(GuestFormat.X86)]
    public void HardwareBitsNeedNoEmulation(GuestFormat format)
    {
        using var guest = new Guest(_arena, format.Options());
        using var vcpu = new TestVcpu(guest);
        guest.MapMemory(new Gpa(0), 1UL << 20);
        for (ulong page = 0; page < 16; page++)
        {
            vcpu.Read(page << 12);
            vcpu.Write(page << 12, 1);
        }
        GuestCounters counters = guest.Counters;
        Assert.That(counters.NestedFaults, Is.EqualTo(16));
        Assert.That(counters.DirtyEmulations + counters.AccessedEmulations + counters.SuperpageAccessedEmulations
            + counters.SpuriousFaults, Is.Zero);
    }

    [Test]
    public void AnArenaWithoutFramesHasNoGuests()
    {
        using var tiny = new Arena(new ArenaOptions { Bytes = ArenaOptions.BytesMin });
        using var first = new Guest(tiny, new GuestOptions());
        Assert.That(() => new Guest(tiny, new GuestOptions()), Throws.TypeOf<InsufficientMemoryException>());
    }

    [Test]
    public void ContradictoryOptionsAreRefused() => Assert.That(
        () => new Guest(_arena, new GuestOptions { Tables = TableKind.Rvi, HardwareAd = false }),
        Throws.ArgumentException.With.Message.Contain("HardwareAd"));

    [Test]
    public void AsManyConsumersAsTheOptionsSay()
    {
        using var guest = new Guest(_arena, new GuestOptions { Consumers = 2 });
        using GuestConsumer first = guest.AddConsumer();
        GuestConsumer second = guest.AddConsumer();
        Assert.That(() => guest.AddConsumer(), Throws.InvalidOperationException);
        second.Dispose();
        second.Dispose();
        guest.AddConsumer().Dispose();
    }

    [Test]
    public void AfterDisposeEveryCallSaysSo()
    {
        var guest = new Guest(_arena, new GuestOptions());
        GuestConsumer consumer = guest.AddConsumer();
        guest.MapMemory(new Gpa(0), 1UL << 20);
        Assert.That(consumer.Fault(0, Prot.Read, out _), Is.EqualTo(FaultStatus.Resolved));
        guest.Dispose();
        guest.Dispose();
        Assert.That(consumer.Enter(out _), Is.False);
        Assert.That(consumer.IsDestroyed, Is.True);
        Assert.That(consumer.Fault(0, Prot.Read, out ulong hpa), Is.EqualTo(FaultStatus.Destroyed));
        Assert.That(hpa, Is.Zero);
        Assert.That(guest.Read(new Gpa(0), new byte[8]), Is.EqualTo(FaultStatus.Destroyed));
        Assert.That(guest.TryTranslate(new Gpa(0), Prot.Read, out _), Is.False);
        Assert.That(() => guest.MapMemory(new Gpa(1UL << 30), 4096),
            Throws.TypeOf<MapException>().With.Property("Error").EqualTo(MapError.Destroyed));
        Assert.That(guest.Counters.NestedFaults, Is.EqualTo(1));
        Assert.That(guest.Counters.ResidentPages, Is.Zero);
        consumer.Dispose();
        ArenaBalance.AssertWhole(_arena);
    }
}
