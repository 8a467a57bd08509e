using System;
using System.Threading;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Reclaim;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Reclaim;

/// <summary>What becomes of dirty pages, in every table format.</summary>
[TestFixtureSource(typeof(GuestFormats), nameof(GuestFormats.All))]
public sealed class PageDaemonStoreTests(GuestFormat format)
{
    [Test]
    public void ADirtyPageIsStoredAndComesBackWithItsBytes()
    {
        using var at = new ReclaimFixture(format, pages: 8);
        at.Vcpu.Write(ReclaimFixture.At(3, 77), 0x5A);

        ReclaimResult result = at.Daemon.Reclaim(1);

        Assert.That(result, Is.EqualTo(new ReclaimResult(1, ReclaimEnd.Enough)));
        Assert.That(at.IsMapped(3), Is.False);
        Assert.That(at.Pager.Find(3)![77], Is.EqualTo(0x5A));
        Assert.That(at.Vcpu.Read(ReclaimFixture.At(3, 77)), Is.EqualTo(0x5A));
        Assert.That(at.Guest.Counters.SwapOuts, Is.EqualTo(1));
        Assert.That(at.Guest.Counters.SwapIns, Is.EqualTo(1));
        Assert.That(at.Guest.Counters.SwapWriteBytes, Is.EqualTo(ReclaimFixture.PageBytes));
        Assert.That(at.Guest.Counters.SwapReadBytes, Is.EqualTo(ReclaimFixture.PageBytes));
    }

    [Test]
    public void AZeroPageIsStoredInNoSlot()
    {
        using var at = new ReclaimFixture(format, pages: 8);
        at.Vcpu.Write(ReclaimFixture.At(3), 1);
        at.Daemon.Reclaim(1);
        at.Vcpu.Write(ReclaimFixture.At(3), 0);

        at.Daemon.Reclaim(1);

        Assert.That(at.Pager.Stored, Is.Zero);
        Assert.That(at.Guest.Counters.ZeroPagesElided, Is.EqualTo(1));
        Assert.That(at.Vcpu.Read(ReclaimFixture.At(3)), Is.Zero);
    }

    [Test]
    public void MemoryWithoutAPagerGivesZeroPagesAndKeepsTheOthers()
    {
        using var at = new ReclaimFixture(format, pages: 8);
        at.Guest.MapMemory(new Gpa(1UL << 30), 4 * ReclaimFixture.PageBytes);
        at.Vcpu.Read(1UL << 30);
        at.Vcpu.Write((1UL << 30) + 4096, 0);
        at.Vcpu.Write((1UL << 30) + 8192, 9);

        ReclaimResult result = at.Daemon.Reclaim(64);

        Assert.That(result.Freed, Is.EqualTo(2));
        Assert.That(result.End, Is.EqualTo(ReclaimEnd.Exhausted));
        Assert.That(at.Told, Is.EqualTo(result));
        Assert.That(at.Vcpu.Read((1UL << 30) + 8192), Is.EqualTo(9));
        Assert.That(at.Vcpu.Read((1UL << 30) + 4096), Is.Zero);
    }

    [Test]
    public void AWriteThatFailsLeavesThePageDirty()
    {
        using var at = new ReclaimFixture(format, pages: 8);
        at.Vcpu.Write(ReclaimFixture.At(3), 1);
        at.Vcpu.Write(ReclaimFixture.At(4), 2);
        at.Pager.BadWrites.Add(3);

        ReclaimResult result = at.Daemon.Reclaim(2);

        Assert.That(result, Is.EqualTo(new ReclaimResult(1, ReclaimEnd.WriteError)));
        Assert.That(at.Vcpu.Read(ReclaimFixture.At(3)), Is.EqualTo(1));
        at.Pager.BadWrites.Clear();
        Assert.That(at.Daemon.Reclaim(1).Freed, Is.EqualTo(1));
        Assert.That(at.Pager.Find(3)![0], Is.EqualTo(1));
    }

    [Test]
    public void AFullPagerStopsEvictionAndLosesNothing()
    {
        using var at = new ReclaimFixture(format, pages: 64);
        for (ulong page = 0; page < 64; page++) at.Vcpu.Write(ReclaimFixture.At(page), (byte)(page + 1));
        at.Pager.Capacity = 10;

        ReclaimResult result = at.Daemon.Reclaim(64);

        Assert.That(result, Is.EqualTo(new ReclaimResult(10, ReclaimEnd.SwapFull)));
        for (ulong page = 0; page < 64; page++)
        {
            Assert.That(at.Vcpu.Read(ReclaimFixture.At(page)), Is.EqualTo((byte)(page + 1)), "page " + page);
        }
    }

    [Test]
    public void BehindManyDirtyPagesThatCannotBeStoredCleanOnesGoStill()
    {
        const ulong Clean = 1UL << 30;
        using var at = new ReclaimFixture(format, pages: 800, arenaFrames: 2048);
        at.Pager.Capacity = 0;
        at.Guest.MapRom(new Gpa(Clean), 100 * ReclaimFixture.PageBytes, new ProbePager());
        for (ulong page = 0; page < 800; page++) at.Vcpu.Write(ReclaimFixture.At(page), (byte)(page | 1));
        for (ulong page = 0; page < 100; page++) at.Vcpu.Read(Clean + page * ReclaimFixture.PageBytes);

        ReclaimResult result = at.Daemon.Reclaim(64);

        Assert.That(result, Is.EqualTo(new ReclaimResult(64, ReclaimEnd.Enough)));
        for (ulong page = 0; page < 800; page++)
        {
            Assert.That(at.Vcpu.Read(ReclaimFixture.At(page)), Is.EqualTo((byte)(page | 1)), "page " + page);
        }
    }

    [Test]
    public void APagerThatThrowsLeavesEveryPageWhereItWas()
    {
        using var at = new ReclaimFixture(format, pages: 8);
        at.Vcpu.Write(ReclaimFixture.At(3), 9);
        at.Pager.Throws = new InvalidOperationException("no such store");

        Assert.That(() => at.Daemon.Reclaim(1), Throws.InvalidOperationException);

        at.Pager.Throws = null;
        Assert.That(at.Daemon.Reclaim(1).Freed, Is.EqualTo(1));
        Assert.That(at.Vcpu.Read(ReclaimFixture.At(3)), Is.EqualTo(9));
    }

    [Test]
    public void AFaultWhoseRoomCannotBeMadeBecauseAPagerThrowsLeavesAGuestThatCanBeDisposed()
    {
        using var at = new ReclaimFixture(format, pages: 256, residentFrames: 64);
        at.Pager.Throws = new InvalidOperationException("no such store");
        Assert.That(() =>
        {
            for (ulong page = 0; page < 256; page++) at.Vcpu.Write(ReclaimFixture.At(page), 9);
        }, Throws.InvalidOperationException);
        at.Pager.Throws = null;
        var destroyer = new Thread(at.Guest.Dispose) { IsBackground = true };
        destroyer.Start();
        Assert.That(destroyer.Join(TimeSpan.FromSeconds(20)), Is.True, "nobody waits for a call that has ended");
    }
}
