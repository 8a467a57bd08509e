using System;
using System.Threading;
using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.Reclaim;
using Pagoda.Tests.Support;
using Pagoda.Tlb;

namespace Pagoda.Tests.Reclaim;

/// <summary>One call of reclaim beside consumers and beside others, in every table format.</summary>
[TestFixtureSource(typeof(GuestFormats), nameof(GuestFormats.All))]
public sealed class PageDaemonRunTests(GuestFormat format)
{
    [Test]
    public void ABatchIsChosenWhileTheOneBeforeWaitsForConsumers()
    {
        using var at = new ReclaimFixture(format, pages: 128);
        for (ulong page = 0; page < 128; page++) at.Vcpu.Write(ReclaimFixture.At(page), (byte)(page + 1));
        using GuestConsumer reader = at.Guest.AddConsumer();
        Assert.That(reader.Enter(out _), Is.True);
        ReclaimResult result = default;
        var evictor = new Thread(() => result = at.Daemon.Reclaim(128));
        evictor.Start();

        // With a consumer that lets nothing go, the second batch is unmapped all the same.
        while (CountMapped(at) != 0) Thread.Yield();

        Assert.That(at.Pager.Writes, Is.Zero, "stored before the consumer let go");
        reader.Exit();
        evictor.Join();
        Assert.That(result, Is.EqualTo(new ReclaimResult(128, ReclaimEnd.Enough)));
        for (ulong page = 0; page < 128; page++)
        {
            Assert.That(at.Vcpu.Read(ReclaimFixture.At(page)), Is.EqualTo((byte)(page + 1)));
        }
    }

    [Test]
    public void APagerThatThrowsForOneBatchLeavesTheNextWhereItWas()
    {
        using var at = new ReclaimFixture(format, pages: 128);
        for (ulong page = 0; page < 128; page++) at.Vcpu.Write(ReclaimFixture.At(page), (byte)(page + 1));
        at.Pager.Throws = new InvalidOperationException("no such store");
        using GuestConsumer reader = at.Guest.AddConsumer();
        Assert.That(reader.Enter(out _), Is.True);
        Exception? thrown = null;
        var evictor = new Thread(() => thrown = Assert.Catch(() => at.Daemon.Reclaim(128)));
        evictor.Start();
        while (CountMapped(at) != 0) Thread.Yield();
        reader.Exit();
        evictor.Join();

        Assert.That(thrown, Is.InstanceOf<InvalidOperationException>());
        at.Pager.Throws = null;
        Assert.That(at.Daemon.Reclaim(128).Freed, Is.EqualTo(128));
    }

    [Test]
    public void AFaultWaitsForAChangeOfTheMapAndIsNotWithoutMemory([Values] bool isLimited)
    {
        using var at = new ReclaimFixture(format, pages: 400, arenaFrames: isLimited ? 1024UL : 200);
        if (isLimited) at.Guest.Space.MaxResidentPages = 40;
        at.Guest.MapMemory(new Gpa(1UL << 30), ReclaimFixture.PageBytes);
        for (ulong page = 0; page < 300; page++) at.Vcpu.Write(ReclaimFixture.At(page), 1);
        using GuestConsumer reader = at.Guest.AddConsumer();
        Assert.That(reader.Enter(out _), Is.True);
        var change = new Thread(() => at.Guest.Unmap(new Gpa(1UL << 30), ReclaimFixture.PageBytes));
        change.Start();
        // It waits for the reader behind its edit.
        while (at.Guest.Space.TryLockForReclaim() != ReclaimLock.Busy) LeaveAndYield(at);
        FaultStatus worst = FaultStatus.Resolved;
        var writer = new Thread(() =>
        {
            for (ulong page = 300; page < 400 && worst == FaultStatus.Resolved; page++)
            {
                worst = at.Vcpu.Touch(ReclaimFixture.At(page), 1, out _);
            }
        });
        writer.Start();
        writer.Join(100);
        reader.Exit();
        writer.Join();
        change.Join();

        Assert.That(worst, Is.EqualTo(FaultStatus.Resolved));
    }

    [Test]
    public void PrivatePagesGoWhileAnotherGuestsMapIsBeingChanged()
    {
        using var at = new ReclaimFixture(format, pages: 8);
        using var other = new Guest(at.Arena, format.Options());
        at.Guest.MapMemory(new Gpa(1UL << 30), 4 * ReclaimFixture.PageBytes);
        for (ulong page = 0; page < 4; page++) at.Vcpu.Read((1UL << 30) + page * ReclaimFixture.PageBytes);
        Assert.That(other.Space.TryLockForReclaim(), Is.EqualTo(ReclaimLock.Taken));

        int freed = at.Daemon.Reclaim(4).Freed;

        Leave(other);
        Assert.That(freed, Is.EqualTo(4));
    }

    [Test]
    public void AGuestBelowItsMinimumKeepsWhatItHas()
    {
        using var at = new ReclaimFixture(format, pages: 64);
        at.Guest.Space.MinResidentPages = 40;
        for (ulong page = 0; page < 64; page++) at.Vcpu.Write(ReclaimFixture.At(page), 1);

        ReclaimResult result = at.Daemon.Reclaim(64);

        Assert.That(result, Is.EqualTo(new ReclaimResult(24, ReclaimEnd.Exhausted)));
        Assert.That(at.Guest.Counters.ResidentPages, Is.EqualTo(40));
    }

    [Test]
    public void APageThatAnotherGuestNeedsForItsMinimumStays()
    {
        using var at = new ReclaimFixture(format, pages: 64);
        using var other = new Guest(at.Arena, format.Options());
        using var vcpu = new TestVcpu(other);
        other.MapObject(new Gpa(0), at.Memory, 0, 64 * ReclaimFixture.PageBytes);
        other.Space.MinResidentPages = 10;
        for (ulong page = 0; page < 64; page++) at.Vcpu.Write(ReclaimFixture.At(page), (byte)page);
        for (ulong page = 0; page < 10; page++) vcpu.Read(page * ReclaimFixture.PageBytes);

        ReclaimResult result = at.Daemon.Reclaim(64);

        Assert.That(result.Freed, Is.EqualTo(54));
        Assert.That(other.Counters.ResidentPages, Is.EqualTo(10));
    }

    private static void LeaveAndYield(ReclaimFixture at)
    {
        Leave(at.Guest);
        Thread.Yield();
    }

    private static void Leave(Guest guest)
    {
        var gather = new ShootdownGather(guest.Space.Consumers, guest.Space.Limbo);
        guest.Space.UnlockAfterReclaim(ref gather);
    }

    private static int CountMapped(ReclaimFixture at)
    {
        int mapped = 0;
        for (ulong page = 0; page < 128; page++) mapped += at.IsMapped(page) ? 1 : 0;
        return mapped;
    }
}
