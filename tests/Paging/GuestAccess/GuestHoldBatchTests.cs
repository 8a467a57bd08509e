using System;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.GuestAccess;

public sealed unsafe class GuestHoldBatchTests
{
    private Arena _arena = null!;
    private Guest _guest = null!;
    private GuestConsumer _consumer = null!;

    [SetUp]
    public void SetUp()
    {
        _arena = new Arena(new ArenaOptions { Bytes = 8 << 20 });
        _guest = new Guest(_arena, new GuestOptions());
        _consumer = _guest.AddConsumer();
        _guest.MapMemory(new Gpa(0), 1 << 20);
    }

    [TearDown]
    public void TearDown()
    {
        _consumer.Dispose();
        _guest.Dispose();
        ArenaBalance.AssertWhole(_arena);
        _arena.Dispose();
    }

    [TestCase(false)]
    [TestCase(true)]
    public void LanesStandAlone(bool throughTheGuest)
    {
        _guest.MapMemory(new Gpa(1 << 20), 0x1000, Prot.Read);
        _guest.Write(new Gpa(0x3005), [42]);
        ulong[] gpa = [0x3005, 1 << 21, 0x9000, 0x3006, 1 << 20];
        nint[] pointer = new nint[5];
        var status = new FaultStatus[5];
        int held = throughTheGuest
            ? _guest.HoldBatch(gpa, Prot.Write, pointer, status)
            : _consumer.HoldBatch(gpa, Prot.Write, pointer, status);
        Assert.That(held, Is.EqualTo(3));
        Assert.That(status, Is.EqualTo(new[]
        {
            FaultStatus.Resolved, FaultStatus.NoMapping, FaultStatus.Resolved, FaultStatus.Resolved,
            FaultStatus.Protection,
        }));
        Assert.That(*(byte*)pointer[0], Is.EqualTo(42));
        Assert.That(pointer[3] - pointer[0], Is.EqualTo((nint)1));
        Assert.That(pointer[1] | pointer[4], Is.EqualTo((nint)0));
        *(byte*)pointer[2] = 7;
        if (throughTheGuest) _guest.ReleaseBatch(pointer, Prot.Write);
        else _consumer.ReleaseBatch(pointer, Prot.Write);
        byte[] seen = new byte[1];
        _guest.Read(new Gpa(0x9000), seen);
        Assert.That(seen[0], Is.EqualTo(7));
        Assert.That(_guest.Counters.Holds, Is.EqualTo(3));
        Assert.That(_guest.Counters.Releases, Is.EqualTo(3));
    }

    [Test]
    public void ALongBatchIsHeldWholeAndAllocatesNothing()
    {
        const int Lanes = 150;
        ulong[] gpa = new ulong[Lanes];
        nint[] pointer = new nint[Lanes];
        var status = new FaultStatus[Lanes];
        var random = new SeededGenerator(3);
        int held = 0;
        long bytes = Allocations.Of(() =>
        {
            for (int i = 0; i < Lanes; i++) gpa[i] = random.Below(1UL << 20);
            held = _consumer.HoldBatch(gpa, Prot.ReadWrite, pointer, status);
            _consumer.ReleaseBatch(pointer, Prot.ReadWrite);
        });
        Assert.That(held, Is.EqualTo(Lanes));
        Assert.That(bytes, Is.Zero);
        for (int i = 0; i < Lanes; i++)
        {
            Assert.That(_guest.TryTranslate(new Gpa(gpa[i]), Prot.Read, out Hpa hpa), Is.True);
            Assert.That((nint)_arena.DirectMap(hpa.Value), Is.EqualTo(pointer[i]));
        }
    }
}
