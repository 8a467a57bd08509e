using System;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.Reclaim;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Reclaim;

/// <summary>The budget, in every table format.</summary>
[TestFixtureSource(typeof(GuestFormats), nameof(GuestFormats.All))]
public sealed unsafe class PageDaemonTests(GuestFormat format)
{
    [Test]
    public void APageThatCannotBeReadIsLostAlone()
    {
        using var at = new ReclaimFixture(format, pages: 8);
        for (ulong page = 0; page < 8; page++) at.Vcpu.Write(ReclaimFixture.At(page), (byte)(page + 1));
        Assert.That(at.Daemon.Reclaim(8).Freed, Is.EqualTo(8));
        at.Pager.BadReads.Add(5);

        FaultStatus first = at.Vcpu.TryAccess(ReclaimFixture.At(5), Prot.Read, out _);
        FaultStatus second = at.Vcpu.TryAccess(ReclaimFixture.At(5), Prot.Read, out _);

        Assert.That(first, Is.EqualTo(FaultStatus.PagerError));
        Assert.That(second, Is.EqualTo(FaultStatus.Poisoned));
        Assert.That(at.LostPage, Is.EqualTo(5));
        Assert.That(at.Guest.Counters.PoisonedPages, Is.EqualTo(1));
        for (ulong page = 0; page < 8; page++)
        {
            if (page != 5) Assert.That(at.Vcpu.Read(ReclaimFixture.At(page)), Is.EqualTo((byte)(page + 1)));
        }
    }

    [Test]
    public void AStepFreesDownToTheHighMark()
    {
        using var at = new ReclaimFixture(format, pages: 600, arenaFrames: 1024, residentFrames: 650);
        for (ulong page = 0; page < 600; page++) at.Vcpu.Write(ReclaimFixture.At(page), 1);
        ulong used = at.Daemon.UsedFrames;

        ReclaimResult result = at.Daemon.Step();

        Assert.That(used, Is.LessThanOrEqualTo(650));
        Assert.That(result.End, Is.EqualTo(ReclaimEnd.Enough));
        Assert.That(at.Daemon.UsedFrames, Is.LessThanOrEqualTo(650 - 128));
        Assert.That(at.Daemon.Step(), Is.EqualTo(default(ReclaimResult)));
    }

    [Test]
    public void FaultsKeepTheBudgetByThemselves()
    {
        using var at = new ReclaimFixture(format, pages: 512, arenaFrames: 1024, residentFrames: 200);
        for (ulong page = 0; page < 512; page++)
        {
            at.Vcpu.Write(ReclaimFixture.At(page), (byte)page);
            Assert.That(at.Daemon.UsedFrames, Is.LessThanOrEqualTo(200UL + 64), "page " + page);
        }
        for (ulong page = 0; page < 512; page++)
        {
            Assert.That(at.Vcpu.Read(ReclaimFixture.At(page)), Is.EqualTo((byte)page), "page " + page);
        }
    }

    [Test]
    public void AnArenaThatIsFullOfPagesThatCannotBeStoredEndsFaultsWithoutMemory()
    {
        using var at = new ReclaimFixture(format, pages: 512, arenaFrames: 200);
        at.Pager.Capacity = 20;
        ulong page = 0;
        FaultStatus status;
        while ((status = at.Vcpu.TryAccess(ReclaimFixture.At(page), Prot.Write, out _)) == FaultStatus.Resolved)
        {
            at.Vcpu.Write(ReclaimFixture.At(page), (byte)(page + 1));
            page++;
        }
        Assert.That(status, Is.EqualTo(FaultStatus.OutOfMemory));
        Assert.That(at.Told.End, Is.EqualTo(ReclaimEnd.SwapFull));
        Assert.That(page, Is.GreaterThan(150));
        for (ulong read = page - 100; read < page; read++)
        {
            if (at.IsMapped(read)) Assert.That(at.Vcpu.Read(ReclaimFixture.At(read)), Is.EqualTo((byte)(read + 1)));
        }
    }

    [Test]
    public void ASecondDaemonOfAnArenaIsRefused()
    {
        using var at = new ReclaimFixture(format, pages: 8);
        Assert.That(() => new PageDaemon(at.Arena, new PageDaemonOptions()), Throws.InvalidOperationException);
    }

    [Test]
    public void FreeChunksGoBackToTheSystem()
    {
        const ulong Window = 512 * ReclaimFixture.PageBytes;
        using var at = new ReclaimFixture(format, pages: 8, arenaFrames: 4096);
        at.Guest.MapMemory(new Gpa(1UL << 30), 4 * Window);
        for (ulong page = 0; page < 4 * 512; page++) at.Vcpu.Write((1UL << 30) + page * ReclaimFixture.PageBytes, 1);
        ulong committed = at.Arena.Allocator.CommittedBytes;
        Assert.That(at.Daemon.Trim(), Is.LessThan(Window * 2), "nothing much is free");

        at.Guest.Unmap(new Gpa(1UL << 30), 4 * Window);

        ulong given = at.Daemon.Trim();
        Assert.That(given, Is.GreaterThanOrEqualTo(2 * Window));
        Assert.That(at.Arena.Allocator.CommittedBytes, Is.LessThanOrEqualTo(committed - given));
        at.Vcpu.Write(ReclaimFixture.At(3), 3);
        Assert.That(at.Vcpu.Read(ReclaimFixture.At(3)), Is.EqualTo(3));
    }
}
