using System;
using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.GuestAccess;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Reclaim;

/// <summary>How pages leave memory: from every table, with nothing lost, in every table format.</summary>
[TestFixtureSource(typeof(GuestFormats), nameof(GuestFormats.All))]
public sealed class PageDaemonEvictTests(GuestFormat format)
{
    [Test]
    public void APageThatCameBackUnchangedGoesWithoutAWrite()
    {
        using var at = new ReclaimFixture(format, pages: 8);
        at.Vcpu.Write(ReclaimFixture.At(3), 1);
        at.Daemon.Reclaim(1);
        at.Vcpu.Read(ReclaimFixture.At(3));

        at.Daemon.Reclaim(1);

        Assert.That(at.Pager.Writes, Is.EqualTo(1));
        Assert.That(at.Guest.Counters.CleanEvictions, Is.EqualTo(1));
        at.Vcpu.Write(ReclaimFixture.At(3), 2);
        at.Daemon.Reclaim(1);
        Assert.That(at.Pager.Writes, Is.EqualTo(2));
        Assert.That(at.Vcpu.Read(ReclaimFixture.At(3)), Is.EqualTo(2));
    }

    [Test]
    public void AHeldPageStays()
    {
        using var at = new ReclaimFixture(format, pages: 8);
        at.Vcpu.Write(ReclaimFixture.At(2), 7);
        Span<GuestSpan> spans = new GuestSpan[1];
        FaultStatus held = at.Guest.Hold(new Gpa(ReclaimFixture.At(2)), 16, Prot.Write, spans, out int count);
        Assert.That(held, Is.EqualTo(FaultStatus.Resolved));

        Assert.That(at.Daemon.Reclaim(1).Freed, Is.Zero);

        spans[0].Bytes[5] = 0x33;
        at.Guest.Release(spans[..count]);
        Assert.That(at.Daemon.Reclaim(1).Freed, Is.EqualTo(1));
        Assert.That(at.Pager.Find(2)![5], Is.EqualTo(0x33));
        Assert.That(at.Vcpu.Read(ReclaimFixture.At(2, 5)), Is.EqualTo(0x33));
    }

    [Test]
    public void AWiredPageStays()
    {
        using var at = new ReclaimFixture(format, pages: 8);
        at.Vcpu.Write(ReclaimFixture.At(2), 7);
        at.Guest.Wire(new Gpa(ReclaimFixture.At(2)), ReclaimFixture.PageBytes);

        Assert.That(at.Daemon.Reclaim(1).Freed, Is.Zero);

        Assert.That(at.IsMapped(2), Is.True);
        Assert.That(at.Guest.Counters.WiredPages, Is.EqualTo(1));
    }

    [Test]
    public void APageGoesFromEveryPlaceOfEveryGuestThatShowsIt()
    {
        using var at = new ReclaimFixture(format, pages: 8);
        using var other = new Guest(at.Arena, format.Options());
        using var vcpu = new TestVcpu(other);
        at.Guest.MapObject(new Gpa(1UL << 32), at.Memory, 0, 8 * ReclaimFixture.PageBytes);
        other.MapObject(new Gpa(0), at.Memory, 0, 8 * ReclaimFixture.PageBytes);
        at.Vcpu.Read(ReclaimFixture.At(4));
        at.Vcpu.Read((1UL << 32) + 4 * ReclaimFixture.PageBytes);
        vcpu.Write(4 * ReclaimFixture.PageBytes, 0x44);

        Assert.That(at.Daemon.Reclaim(1).Freed, Is.EqualTo(1));

        Assert.That(at.IsMapped(4), Is.False);
        Assert.That(at.Guest.TryTranslate(new Gpa((1UL << 32) + 4 * ReclaimFixture.PageBytes), Prot.Read, out _),
            Is.False);
        Assert.That(other.TryTranslate(new Gpa(4 * ReclaimFixture.PageBytes), Prot.Read, out _), Is.False);
        Assert.That(at.Vcpu.Read(ReclaimFixture.At(4)), Is.EqualTo(0x44));
    }

    [Test]
    public void APageWrittenWhileItIsStoredStays()
    {
        using var at = new ReclaimFixture(format, pages: 8);
        at.Vcpu.Write(ReclaimFixture.At(3), 1);
        at.Pager.Writing = _ => at.Vcpu.Write(ReclaimFixture.At(3, 1), 2);

        Assert.That(at.Daemon.Reclaim(1).Freed, Is.Zero);

        at.Pager.Writing = null;
        Assert.That(at.IsMapped(3), Is.True);
        Assert.That(at.Daemon.Reclaim(1).Freed, Is.EqualTo(1));
        Assert.That(at.Vcpu.Read(ReclaimFixture.At(3, 1)), Is.EqualTo(2));
        Assert.That(at.Vcpu.Read(ReclaimFixture.At(3)), Is.EqualTo(1));
    }

    [Test]
    public void AWriteIsHarvestedAfterItsPageHasGone()
    {
        using var at = new ReclaimFixture(format, pages: 8);
        at.Vcpu.Write(ReclaimFixture.At(3), 9);
        at.Daemon.Reclaim(1);
        Span<ulong> bitmap = stackalloc ulong[1];

        ulong count = at.Guest.HarvestModified(new Gpa(ReclaimFixture.Start), 8 * ReclaimFixture.PageBytes, bitmap);

        Assert.That(count, Is.EqualTo(1));
        Assert.That(bitmap[0], Is.EqualTo(1UL << 3));
        at.Vcpu.Read(ReclaimFixture.At(3));
        Assert.That(at.Guest.HarvestModified(new Gpa(ReclaimFixture.Start), 8 * 4096, bitmap), Is.Zero);
    }

    [Test]
    public void AWriteIsHarvestedAfterItsPageHasGoneAndComeBack()
    {
        using var at = new ReclaimFixture(format, pages: 8);
        at.Vcpu.Write(ReclaimFixture.At(3), 9);
        at.Daemon.Reclaim(1);
        at.Vcpu.Read(ReclaimFixture.At(3));
        Span<ulong> bitmap = stackalloc ulong[1];

        at.Guest.HarvestModified(new Gpa(ReclaimFixture.Start), 8 * ReclaimFixture.PageBytes, bitmap);

        Assert.That(bitmap[0], Is.EqualTo(1UL << 3));
        Assert.That(at.Daemon.Reclaim(1).Freed, Is.EqualTo(1));
        Assert.That(at.Guest.Counters.CleanEvictions, Is.EqualTo(1));
    }
}
