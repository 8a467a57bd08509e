using System;
using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.GuestAccess;
using Pagoda.Tests.Reclaim;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.GuestAccess;

/// <summary>Bringing memory in ahead of its use, in every table format.</summary>
[TestFixtureSource(typeof(GuestFormats), nameof(GuestFormats.All))]
public sealed unsafe class GuestAdviceTests(GuestFormat format)
{
    private const ulong Page = ReclaimFixture.PageBytes;

    [Test]
    public void WhatWasTakenAwayIsReadBackInBatchesAndStaysClean()
    {
        using var at = new ReclaimFixture(format, pages: 200);
        for (ulong page = 0; page < 100; page++) at.Vcpu.Write(ReclaimFixture.At(page), (byte)(page + 1));
        at.Daemon.Reclaim(100);
        int faults = at.Vcpu.Faults;

        AdviceResult result = at.Guest.Advise(Advice.WillNeed);

        Assert.That(result.Status, Is.EqualTo(FaultStatus.Resolved));
        Assert.That(result.Pages, Is.EqualTo(100));
        Assert.That(at.Guest.Counters.ResidentPages, Is.EqualTo(100), "what was never touched stays so");
        for (ulong page = 0; page < 100; page++)
        {
            Assert.That(at.Vcpu.Read(ReclaimFixture.At(page)), Is.EqualTo((byte)(page + 1)));
        }
        Assert.That(at.Vcpu.Faults, Is.EqualTo(faults));
        Assert.That(at.Daemon.Reclaim(100).Freed, Is.EqualTo(100));
        Assert.That(at.Guest.Counters.CleanEvictions, Is.EqualTo(100));
    }

    [Test]
    public void APopulatedRangeTakesNoFullFault()
    {
        using var at = new ReclaimFixture(format, pages: 300);
        for (ulong page = 0; page < 50; page++) at.Vcpu.Write(ReclaimFixture.At(page), (byte)(page + 1));
        at.Daemon.Reclaim(40);

        AdviceResult result = at.Guest.Advise(new Gpa(ReclaimFixture.At(0)), 200 * Page, Advice.Populate);

        Assert.That(result.Pages, Is.EqualTo(190));
        Assert.That(at.Guest.Counters.ResidentPages, Is.EqualTo(200));
        ulong faults = at.Guest.Counters.NestedFaults;
        for (ulong page = 0; page < 200; page++)
        {
            Assert.That(at.Vcpu.Read(ReclaimFixture.At(page)), Is.EqualTo(page < 50 ? (byte)(page + 1) : 0));
            if (page >= 50) at.Vcpu.Write(ReclaimFixture.At(page), 1);
        }
        Assert.That(at.Guest.Counters.NestedFaults, Is.EqualTo(faults));
    }

    [Test]
    public void ALostPageIsNamedAndTheOthersComeIn()
    {
        using var at = new ReclaimFixture(format, pages: 200);
        for (ulong page = 0; page < 200; page++) at.Vcpu.Write(ReclaimFixture.At(page), 1);
        at.Daemon.Reclaim(200);
        at.Pager.BadReads.Add(70);

        AdviceResult result = at.Guest.Advise(Advice.Populate);

        Assert.That(result.Status, Is.EqualTo(FaultStatus.PagerError));
        Assert.That(result.Address.Value, Is.EqualTo(ReclaimFixture.At(70)));
        Assert.That(result.Pages, Is.EqualTo(199));
        Assert.That(at.Guest.Advise(Advice.Populate).Status, Is.EqualTo(FaultStatus.Poisoned));
        Assert.That(at.Guest.Advise(Advice.WillNeed).Status, Is.EqualTo(FaultStatus.Resolved));
    }

    [Test]
    public void WithoutMemoryItEndsAndSaysWhere()
    {
        using var at = new ReclaimFixture(format, pages: 400, arenaFrames: 200);
        at.Pager.Capacity = 0;
        for (ulong page = 0; page < 400 && at.Vcpu.TryAccess(ReclaimFixture.At(page), Prot.Write, out _) == 0; page++)
        {
            at.Vcpu.Write(ReclaimFixture.At(page), 1);
        }
        AdviceResult result = at.Guest.Advise(Advice.Populate);
        Assert.That(result.Status, Is.EqualTo(FaultStatus.OutOfMemory));
        Assert.That(result.Address.Value, Is.GreaterThan(ReclaimFixture.At(150)));
    }

    [Test]
    public void PagesWithoutARightAreLeftAlone()
    {
        using var at = new ReclaimFixture(format, pages: 8);
        at.Guest.Protect(new Gpa(ReclaimFixture.At(2)), 2 * Page, Prot.None);
        at.Guest.Protect(new Gpa(ReclaimFixture.At(5)), Page, Prot.Read);
        Assert.That(at.Guest.Advise(Advice.Populate).Pages, Is.EqualTo(6));
        Assert.That(at.Guest.Counters.ResidentPages, Is.EqualTo(6));
    }
}
