using System;
using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Faults;

public sealed class FaultRunSupplyTests
{
    private const int Pages = 64;
    private Arena _arena = null!;
    private Guest _guest = null!;
    private GuestConsumer _consumer = null!;
    private ProbePager _pager = null!;
    private VmObject _store = null!;

    [SetUp]
    public void SetUp()
    {
        _arena = new Arena(new ArenaOptions { Bytes = 4 << 20 });
        _guest = new Guest(_arena, new GuestOptions());
        _consumer = _guest.AddConsumer();
        _pager = new ProbePager();
        _store = new VmObject(_arena, Pages << 12, _pager);
        _guest.MapObject(new Gpa(0), _store, 0, Pages << 12);
    }

    [TearDown]
    public void TearDown()
    {
        _consumer.Dispose();
        _guest.Dispose();
        _store.Dispose();
        ArenaBalance.AssertWhole(_arena);
        _arena.Dispose();
    }

    [Test]
    public void OneCallReadsAllPagesOfABatchInAscendingOrder()
    {
        var other = new ProbePager();
        using var store = new VmObject(_arena, Pages << 12, other);
        _guest.MapObject(new Gpa(1 << 30), store, 8 << 12, 8 << 12);
        ulong[] gpa = [0x9000, 0x3000, (1 << 30) + 0x1000, 0x20000, 0x3008, 1 << 30, 0x1000];
        FaultStatus[] status = Fault(gpa, Prot.Read, out ulong[] hpa);
        Assert.That(status, Is.All.EqualTo(FaultStatus.Resolved));
        Assert.That(_pager.Calls, Is.EqualTo(new[] { new ulong[] { 1, 3, 9, 32 } }));
        Assert.That(other.Calls, Is.EqualTo(new[] { new ulong[] { 8, 9 } }));
        Assert.That(hpa[4], Is.EqualTo(hpa[1] + 8));
        Assert.That(_guest.Counters.PagerReads, Is.EqualTo(6));
        byte[] seen = new byte[1];
        _guest.Read(new Gpa((1 << 30) + 0x1005), seen);
        Assert.That(seen[0], Is.EqualTo(ProbePager.ByteOf(9)));
    }

    [Test]
    public void ThePagesOfAliasesReachThePagerInAscendingOrderToo()
    {
        _guest.MapObject(new Gpa(1 << 30), _store, 0, 8 << 12);
        Fault([0x9000, (1 << 30) + 0x2000, 0x8000], Prot.Read, out _);
        Assert.That(_pager.Calls, Is.EqualTo(new[] { new ulong[] { 2, 8, 9 } }));
    }

    [Test]
    public void APageThatCannotBeReadIsLostAloneAndForGood()
    {
        _pager.Broken.Add(3);
        FaultStatus[] status = Fault([0x2000, 0x3000, 0x4000, 0x3008], Prot.Read, out ulong[] hpa);
        Assert.That(status, Is.EqualTo(new[]
        {
            FaultStatus.Resolved, FaultStatus.PagerError, FaultStatus.Resolved, FaultStatus.PagerError,
        }));
        Assert.That(hpa[1] | hpa[3], Is.Zero);
        _pager.Broken.Clear();
        Assert.That(_consumer.Fault(0x3000, Prot.Read, out _), Is.EqualTo(FaultStatus.Poisoned));
        Assert.That(_pager.Calls, Has.Count.EqualTo(1));
        Assert.That(_guest.Read(new Gpa(0x2FFF), new byte[2]), Is.EqualTo(FaultStatus.Poisoned));
        Assert.That(_guest.Counters.FailedFaults, Is.EqualTo(4));
    }

    [Test]
    public void APagerThatThrowsLeavesThePagesAsTheyWere()
    {
        _pager.Throws = true;
        Assert.That(() => Fault([0x2000, 0x3000], Prot.Read, out _), Throws.InvalidOperationException);
        _pager.Throws = false;
        Assert.That(Fault([0x2000, 0x3000], Prot.Write, out _), Is.All.EqualTo(FaultStatus.Resolved));
        byte[] seen = new byte[1];
        _guest.Read(new Gpa(0x3000), seen);
        Assert.That(seen[0], Is.EqualTo(ProbePager.ByteOf(3)));
    }

    private FaultStatus[] Fault(ulong[] gpa, Prot access, out ulong[] hpa)
    {
        var accesses = new Prot[gpa.Length];
        Array.Fill(accesses, access);
        var status = new FaultStatus[gpa.Length];
        hpa = new ulong[gpa.Length];
        _consumer.Fault(new FaultBatch(gpa, accesses, hpa, status));
        return status;
    }
}
