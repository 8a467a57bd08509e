using System.Threading;
using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Diagnostics;
using Pagoda.Faults;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Faults;

public sealed class FaultRunPublishTests
{
    private Arena _arena = null!;
    private Guest _guest = null!;
    private GuestConsumer _consumer = null!;

    [SetUp]
    public void SetUp()
    {
        _arena = new Arena(new ArenaOptions { Bytes = 4 << 20 });
        _guest = new Guest(_arena, new GuestOptions());
        _consumer = _guest.AddConsumer();
    }

    [TearDown]
    public void TearDown()
    {
        _consumer.Dispose();
        _guest.Dispose();
        ArenaBalance.AssertWhole(_arena);
        _arena.Dispose();
    }

    [Test]
    public void APageThatMovedWhileItWasReadIsNotEnteredAtItsOldPlace()
    {
        using var reading = new ManualResetEventSlim();
        var pager = new ProbePager { Reading = reading };
        using var store = new VmObject(_arena, 16 << 12, pager);
        _guest.MapObject(new Gpa(0), store, 0, 16 << 12);
        FaultStatus status = default;
        var faulter = new Thread(() => status = _consumer.Fault(0x3000, Prot.Read, out _));
        faulter.Start();
        reading.Wait();
        _guest.Remap(new Gpa(0), 16 << 12, new Gpa(1 << 30));
        pager.Go.Set();
        faulter.Join();
        Assert.That(status, Is.EqualTo(FaultStatus.NoMapping));
        Assert.That(_guest.TryTranslate(new Gpa(0x3000), Prot.Read, out _), Is.False);
        Assert.That(_guest.Space.Counters.Sum(Counter.MapRetries), Is.EqualTo(1));
        Assert.That(_consumer.Fault((1 << 30) + 0x3000, Prot.Read, out _), Is.EqualTo(FaultStatus.Resolved));
        Assert.That(pager.Calls, Has.Count.EqualTo(1), "the page was kept");
    }

    [Test]
    public void AnUnrelatedChangeOfTheMapOnlyCostsAnotherLook()
    {
        using var reading = new ManualResetEventSlim();
        var pager = new ProbePager { Reading = reading };
        using var store = new VmObject(_arena, 16 << 12, pager);
        _guest.MapObject(new Gpa(0), store, 0, 16 << 12);
        FaultStatus status = default;
        var faulter = new Thread(() => status = _consumer.Fault(0x3000, Prot.Write, out _));
        faulter.Start();
        reading.Wait();
        _guest.MapMemory(new Gpa(1 << 30), 1 << 20);
        pager.Go.Set();
        faulter.Join();
        Assert.That(status, Is.EqualTo(FaultStatus.Resolved));
        Assert.That(pager.Calls, Has.Count.EqualTo(1));
    }

    [Test]
    public void UnmappingPrivateMemoryWaitsForItsPagesInFlight()
    {
        using var reading = new ManualResetEventSlim();
        var pager = new ProbePager { Reading = reading };
        _guest.MapRom(new Gpa(0), 16 << 12, pager);
        FaultStatus status = default;
        var faulter = new Thread(() => status = _consumer.Fault(0x3000, Prot.Read, out _));
        faulter.Start();
        reading.Wait();
        var unmapper = new Thread(() => _guest.Unmap(new Gpa(0), 16 << 12));
        unmapper.Start();
        while (_guest.Space.Map.Count != 0) Thread.Yield();
        pager.Go.Set();
        faulter.Join();
        unmapper.Join();
        Assert.That(status, Is.EqualTo(FaultStatus.NoMapping));
        Assert.That(_guest.Counters.ResidentPages, Is.Zero);
    }
}
