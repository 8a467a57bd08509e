using System.Threading;
using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Diagnostics;
using Pagoda.Faults;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Faults;

public sealed class FaultRunClaimTests
{
    private Arena _arena = null!;
    private Guest _guest = null!;
    private GuestConsumer _consumer = null!;

    [SetUp]
    public void SetUp()
    {
        _arena = new Arena(new ArenaOptions { Bytes = 4 << 20 });
        _guest = new Guest(_arena, GuestFormat.EptEmulated.Options());
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
    public void LanesThatNameOnePageAreFolded()
    {
        _guest.MapMemory(new Gpa(0), 1 << 20);
        ulong[] gpa = [0x5008, 0x1000, 0x5000, 0x5010, 0x1FFF];
        Prot[] access = [Prot.Read, Prot.Read, Prot.Write, Prot.Execute, Prot.Read];
        ulong[] hpa = new ulong[5];
        var status = new FaultStatus[5];
        Assert.That(_consumer.Fault(new FaultBatch(gpa, access, hpa, status)), Is.EqualTo(5));
        Assert.That(status, Is.All.EqualTo(FaultStatus.Resolved));
        Assert.That(hpa[0] - 8, Is.EqualTo(hpa[2]));
        Assert.That(hpa[3] - 0x10, Is.EqualTo(hpa[2]));
        Assert.That(hpa[4] - 0xFFF, Is.EqualTo(hpa[1]));
        Assert.That(_guest.Space.Counters.Sum(Counter.FoldedLanes), Is.EqualTo(3));
        Assert.That(_guest.Counters.ResidentPages, Is.EqualTo(2));
        Assert.That(_consumer.Fault(0x5000, Prot.Write, out _), Is.EqualTo(FaultStatus.Spurious), "entered as written");
        Assert.That(_consumer.Fault(0x1000, Prot.Write, out _), Is.EqualTo(FaultStatus.Emulated));
    }

    [Test]
    public void ABatchThatMeetsItsOwnBusyPageGoesOn()
    {
        var pager = new ProbePager();
        using var store = new VmObject(_arena, 16 << 12, pager);
        _guest.MapObject(new Gpa(0), store, 0, 16 << 12);
        _guest.MapObject(new Gpa(1 << 30), store, 0, 16 << 12);
        ulong[] gpa = [0x3000, (1 << 30) + 0x3000, 0x4000];
        Prot[] access = [Prot.Read, Prot.Read, Prot.Read];
        ulong[] hpa = new ulong[3];
        var status = new FaultStatus[3];
        Assert.That(_consumer.Fault(new FaultBatch(gpa, access, hpa, status)), Is.EqualTo(3));
        Assert.That(hpa[0], Is.EqualTo(hpa[1]));
        Assert.That(pager.Calls, Has.Count.EqualTo(1));
        Assert.That(_guest.Counters.ResidentPages, Is.EqualTo(3));
    }

    [Test]
    public void AFaultOnAPageInFlightWaitsForThatPageAlone()
    {
        using var reading = new ManualResetEventSlim();
        var pager = new ProbePager { Reading = reading };
        using var store = new VmObject(_arena, 16 << 12, pager);
        _guest.MapObject(new Gpa(0), store, 0, 16 << 12);
        _guest.MapMemory(new Gpa(16 << 12), 16 << 12);
        FaultStatus first = default;
        FaultStatus second = default;
        ulong firstHpa = 0;
        ulong secondHpa = 0;
        using GuestConsumer other = _guest.AddConsumer();
        var faulter = new Thread(() => first = _consumer.Fault(0x3000, Prot.Read, out firstHpa));
        faulter.Start();
        reading.Wait();
        Assert.That(_guest.Write(new Gpa(16 << 12), [1]), Is.EqualTo(FaultStatus.Resolved), "same window");
        var waiter = new Thread(() => second = other.Fault(0x3008, Prot.Write, out secondHpa));
        waiter.Start();
        while (_guest.Space.Counters.Sum(Counter.BusyRetries) == 0) Thread.Yield();
        Assert.That(waiter.IsAlive, Is.True);
        pager.Go.Set();
        faulter.Join();
        waiter.Join();
        Assert.That(first, Is.EqualTo(FaultStatus.Resolved));
        Assert.That(second, Is.EqualTo(FaultStatus.Emulated).Or.EqualTo(FaultStatus.Resolved));
        Assert.That(secondHpa, Is.EqualTo(firstHpa + 8));
        Assert.That(pager.Calls, Has.Count.EqualTo(1));
    }
}
