using System;
using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.Tests.Reclaim;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.GuestAccess;

/// <summary>Wiring with little memory, and what is left of a wiring that failed, in every table format.</summary>
[TestFixtureSource(typeof(GuestFormats), nameof(GuestFormats.All))]
public sealed unsafe class GuestWireTests(GuestFormat format)
{
    private const ulong Page = ReclaimFixture.PageBytes;

    [Test]
    public void PagesThatWereTakenAwayComeBackAndStay()
    {
        using var at = new ReclaimFixture(format, pages: 400, residentFrames: 220);
        for (ulong page = 0; page < 400; page++) at.Vcpu.Write(ReclaimFixture.At(page), (byte)(page + 1));

        at.Guest.Wire(new Gpa(ReclaimFixture.At(100)), 150 * Page);

        for (ulong page = 0; page < 400; page++) at.Vcpu.Read(ReclaimFixture.At(page));
        at.Daemon.Reclaim(400);
        int faults = at.Vcpu.Faults;
        for (ulong page = 100; page < 250; page++)
        {
            Assert.That(at.Vcpu.Read(ReclaimFixture.At(page)), Is.EqualTo((byte)(page + 1)));
            at.Vcpu.Write(ReclaimFixture.At(page, 1), 1);
        }
        Assert.That(at.Vcpu.Faults, Is.EqualTo(faults));
        Assert.That(at.IsMapped(99), Is.False);
        at.Guest.Unwire(new Gpa(ReclaimFixture.At(100)), 150 * Page);
        Assert.That(at.Daemon.Reclaim(100).Freed, Is.EqualTo(100));
    }

    [Test]
    public void MoreThanThereIsMemoryForIsRefusedAndLeavesNothing()
    {
        using var at = new ReclaimFixture(format, pages: 400, arenaFrames: 300);
        for (ulong page = 0; page < 400; page++) at.Vcpu.Write(ReclaimFixture.At(page), (byte)(page + 1));
        at.Guest.Wire(new Gpa(ReclaimFixture.At(10)), 5 * Page);

        Assert.That(() => at.Guest.Wire(new Gpa(ReclaimFixture.At(0)), 400 * Page), Throws.TypeOf<MapException>()
            .With.Property(nameof(MapException.Error)).EqualTo(MapError.NoMemory)
            .And.Property(nameof(MapException.Address)).InRange(ReclaimFixture.At(150), ReclaimFixture.At(300)));

        Assert.That(at.Guest.Counters.WiredPages, Is.EqualTo(5));
        Assert.That(at.Guest.Space.Map.Count, Is.EqualTo(3));
        at.Guest.Unwire(new Gpa(ReclaimFixture.At(10)), 5 * Page);
        Assert.That(at.Guest.Space.Map.Count, Is.EqualTo(1));
        for (ulong page = 0; page < 400; page++)
        {
            Assert.That(at.Vcpu.Read(ReclaimFixture.At(page)), Is.EqualTo((byte)(page + 1)), "page " + page);
        }
    }

    [Test]
    public void ALostPageIsNamed()
    {
        using var at = new ReclaimFixture(format, pages: 64);
        for (ulong page = 0; page < 64; page++) at.Vcpu.Write(ReclaimFixture.At(page), 1);
        at.Daemon.Reclaim(64);
        at.Pager.BadReads.Add(30);

        for (int i = 0; i < 2; i++)
        {
            Assert.That(() => at.Guest.Wire(new Gpa(ReclaimFixture.At(0)), 64 * Page), Throws.TypeOf<MapException>()
                .With.Property(nameof(MapException.Error)).EqualTo(MapError.PageLost)
                .And.Property(nameof(MapException.Address)).EqualTo(ReclaimFixture.At(30)));
            Assert.That(at.Guest.Counters.WiredPages, Is.Zero);
        }
        at.Guest.Wire(new Gpa(ReclaimFixture.At(31)), 33 * Page);
        Assert.That(at.Guest.Counters.WiredPages, Is.EqualTo(33));
    }

    [Test]
    public void APagerThatThrowsLeavesNothing()
    {
        using var at = new ReclaimFixture(format, pages: 8);
        var broken = new ProbePager { Throws = true };
        at.Guest.MapRom(new Gpa(1UL << 30), 4 * Page, broken);

        Assert.That(() => at.Guest.Wire(new Gpa(1UL << 30), 4 * Page), Throws.InvalidOperationException);

        Assert.That(at.Guest.Counters.WiredPages, Is.Zero);
        at.Guest.Unmap(new Gpa(1UL << 30), 4 * Page);
    }

    [Test]
    public void WhatFaultsWhileARangeIsBeingWiredIsWired()
    {
        using var at = new ReclaimFixture(format, pages: 64);
        at.Guest.Space.BeginWire(ReclaimFixture.At(0), 64 * Page);
        at.Vcpu.Read(ReclaimFixture.At(5));
        Assert.That(at.Guest.Counters.WiredPages, Is.EqualTo(1));
        Assert.That(at.Daemon.Reclaim(1).Freed, Is.Zero);
        at.Guest.Space.CancelWire(ReclaimFixture.At(0), 64 * Page);
        Assert.That(at.Guest.Counters.WiredPages, Is.Zero);
        Assert.That(at.Daemon.Reclaim(1).Freed, Is.EqualTo(1));
    }
}
