using System;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.GuestAccess;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.GuestAccess;

public sealed unsafe class GuestHarvestTests
{
    [TestCaseSource(typeof(GuestFormats), nameof(GuestFormats.All))]
    public void EachWriteIsReportedOnce(GuestFormat format)
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 4 << 20 });
        using var guest = new Guest(arena, format.Options());
        using var vcpu = new TestVcpu(guest);
        guest.MapMemory(new Gpa(0), 1 << 20);
        vcpu.Read(0x3000);
        vcpu.Write(0x41000, 1);
        vcpu.Write(0xFF000, 1);
        ulong[] bitmap = new ulong[4];
        Assert.That(guest.HarvestModified(new Gpa(0), 1 << 20, bitmap), Is.EqualTo(2));
        Assert.That(bitmap, Is.EqualTo(new[] { 0UL, 2UL, 0UL, 1UL << 63 }));
        vcpu.Read(0x41000);
        Assert.That(guest.HarvestModified(new Gpa(0), 1 << 20, bitmap), Is.Zero);
        vcpu.Write(0x41000, 2);
        Array.Clear(bitmap);
        Assert.That(guest.HarvestModified(new Gpa(0x41000), 0x1000, bitmap), Is.EqualTo(1));
        Assert.That(bitmap[0], Is.EqualTo(1));
        guest.Pmap.CheckConsistency();
    }

    [TestCaseSource(typeof(GuestFormats), nameof(GuestFormats.All))]
    public void AMarkOutlivesTheMappingOfAPageThatStays(GuestFormat format)
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 4 << 20 });
        using var guest = new Guest(arena, format.Options());
        using var vcpu = new TestVcpu(guest);
        guest.MapMemory(new Gpa(0), 1 << 20);
        vcpu.Write(0x3000, 1);
        vcpu.Read(0x5000);
        guest.Protect(new Gpa(0), 0x8000, Prot.None);
        Assert.That(guest.Counters.ResidentPages, Is.Zero);
        ulong[] bitmap = new ulong[4];
        Assert.That(guest.HarvestModified(new Gpa(0x1000), 0x7000, bitmap), Is.EqualTo(1));
        Assert.That(bitmap[0], Is.EqualTo(0b100));
        guest.Protect(new Gpa(0), 0x8000, Prot.All);
        Assert.That(vcpu.Read(0x3000), Is.EqualTo(1));
        Assert.That(guest.HarvestModified(new Gpa(0), 1 << 20, bitmap), Is.Zero);
    }

    [Test]
    public void ConsumersLetGoBeforeTheReport()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 4 << 20 });
        using var guest = new Guest(arena, new GuestOptions());
        using GuestConsumer consumer = guest.AddConsumer();
        guest.MapMemory(new Gpa(0), 1 << 20);
        consumer.Enter(out bool flush);
        if (flush) consumer.Acknowledge();
        consumer.Exit();
        guest.HarvestModified(new Gpa(0), 1 << 20, new ulong[4]);
        consumer.Enter(out flush);
        Assert.That(flush, Is.True, "it would write on without a mark");
        consumer.Exit();
        Assert.That(guest.Counters.Invalidations, Is.EqualTo(1));
    }

    [Test]
    public void HarvestsAllocateNothingAndADestroyedGuestReportsNothing()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 4 << 20 });
        var guest = new Guest(arena, new GuestOptions());
        using GuestConsumer consumer = guest.AddConsumer();
        guest.MapMemory(new Gpa(0), 1 << 20);
        guest.Write(new Gpa(0), new byte[1 << 20]);
        ulong[] bitmap = new ulong[4];
        Assert.That(Allocations.Of(() => guest.HarvestModified(new Gpa(0), 1 << 20, bitmap)), Is.Zero);
        guest.Dispose();
        Assert.That(guest.HarvestModified(new Gpa(0), 1 << 20, bitmap), Is.Zero);
        Assert.That(GuestHarvest.TryHarvestModified(consumer.Consumer, 0, 1 << 20, bitmap, out _), Is.False);
    }
}
