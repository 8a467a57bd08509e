using System;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.GuestAccess;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Reclaim;

/// <summary>Pages written ahead: they stay, and go later without a write; in every table format.</summary>
[TestFixtureSource(typeof(GuestFormats), nameof(GuestFormats.All))]
public sealed class PageDaemonLaunderTests(GuestFormat format)
{
    private const ulong Pages = 16;

    [Test]
    public void AnIdlePageIsWrittenAheadStaysMappedAndGoesWithoutAWrite()
    {
        using ReclaimFixture at = MakeIdle();

        Assert.That(at.Daemon.Launder(64), Is.EqualTo((int)Pages));

        Assert.That(at.Pager.Writes, Is.EqualTo((int)Pages));
        Assert.That(at.Guest.Counters.LaunderedPages, Is.EqualTo(Pages));
        for (ulong page = 0; page < Pages; page++) Assert.That(at.IsMapped(page), Is.True);
        Assert.That(at.Daemon.Launder(64), Is.Zero, "clean already");
        Assert.That(at.Daemon.Reclaim((int)Pages).Freed, Is.EqualTo((int)Pages));
        Assert.That(at.Pager.Writes, Is.EqualTo((int)Pages));
        Assert.That(at.Guest.Counters.CleanEvictions, Is.EqualTo(Pages));
        AssertBytes(at);
    }

    [Test]
    public void APageThatWasUsedIsNotWrittenAhead()
    {
        using ReclaimFixture at = MakeIdle();
        at.Vcpu.Read(ReclaimFixture.At(5));
        at.Daemon.Age();

        Assert.That(at.Daemon.Launder(64), Is.EqualTo((int)Pages - 1));
        Assert.That(at.Pager.Find(5), Is.Null);
    }

    [Test]
    public void AWriteWhileThePageIsWrittenMakesItDirtyAgain()
    {
        using ReclaimFixture at = MakeIdle();
        at.Pager.Writing = page =>
        {
            if (page == 3) at.Vcpu.Write(ReclaimFixture.At(3, 9), 99);
        };
        at.Daemon.Launder(64);
        at.Pager.Writing = null;
        int writes = at.Pager.Writes;

        Assert.That(at.Daemon.Reclaim((int)Pages).Freed, Is.EqualTo((int)Pages));

        Assert.That(at.Pager.Writes, Is.EqualTo(writes + 1));
        Assert.That(at.Vcpu.Read(ReclaimFixture.At(3, 9)), Is.EqualTo(99));
        AssertBytes(at);
    }

    [Test]
    public void AHeldPageIsNotWrittenAheadAndAFailedOneStaysDirty()
    {
        using ReclaimFixture at = MakeIdle();
        Span<GuestSpan> spans = new GuestSpan[1];
        FaultStatus held = at.Guest.Hold(new Gpa(ReclaimFixture.At(2)), 16, Prot.Write, spans, out int count);
        Assert.That(held, Is.EqualTo(FaultStatus.Resolved));
        at.Pager.BadWrites.Add(7);

        at.Daemon.Launder(64);

        Assert.That(at.Pager.Find(2), Is.Null);
        Assert.That(at.Guest.Counters.LaunderedPages, Is.EqualTo(Pages - 2));
        at.Guest.Release(spans[..count]);
        at.Pager.BadWrites.Clear();
        Assert.That(at.Daemon.Reclaim((int)Pages).Freed, Is.EqualTo((int)Pages));
        AssertBytes(at);
    }

    [Test]
    public void AWrittenPageIsHarvestedAfterItWasLaundered()
    {
        using ReclaimFixture at = MakeIdle();
        at.Daemon.Launder(64);
        Span<ulong> bitmap = stackalloc ulong[1];

        at.Guest.HarvestModified(new Gpa(ReclaimFixture.Start), Pages * ReclaimFixture.PageBytes, bitmap);

        Assert.That(bitmap[0], Is.EqualTo((1UL << (int)Pages) - 1));
    }

    [Test]
    public void AWiredPageKeepsItsMarks()
    {
        using ReclaimFixture at = MakeIdle();
        at.Guest.Wire(new Gpa(ReclaimFixture.At(4)), ReclaimFixture.PageBytes);
        int faults = at.Vcpu.Faults;

        at.Daemon.Launder(64);

        at.Vcpu.Write(ReclaimFixture.At(4), 5);
        Assert.That(at.Vcpu.Faults, Is.EqualTo(faults));
        Assert.That(at.Pager.Find(4), Is.Null);
    }

    /// <summary>Every page is written, and nobody used it since the generation before.</summary>
    private ReclaimFixture MakeIdle()
    {
        var at = new ReclaimFixture(format, Pages);
        for (ulong page = 0; page < Pages; page++) at.Vcpu.Write(ReclaimFixture.At(page), (byte)(page + 1));
        at.Daemon.Age();
        at.Daemon.Age();
        return at;
    }

    private static void AssertBytes(ReclaimFixture at)
    {
        for (ulong page = 0; page < Pages; page++)
        {
            Assert.That(at.Vcpu.Read(ReclaimFixture.At(page)), Is.EqualTo((byte)(page + 1)), "page " + page);
        }
    }
}
