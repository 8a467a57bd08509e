using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.GuestAccess;
using Pagoda.Physical;

namespace Pagoda.Tests.GuestAccess;

public sealed unsafe class MissingPagesTests
{
    [Test]
    public void WhatIsThereIsNotFaulted()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 4 << 20 });
        using var guest = new Guest(arena, new GuestOptions());
        using GuestConsumer consumer = guest.AddConsumer();
        guest.MapMemory(new Gpa(0), 1 << 20);
        consumer.Fault(0x2000, Prot.Read, out _);
        consumer.Fault(0x4000, Prot.Write, out _);
        ulong* missing = stackalloc ulong[MissingPages.Max];
        Assert.That(consumer.Consumer.TryEnter(), Is.True);
        int count = MissingPages.Collect(consumer.Consumer, 0x1234, 0x5001, Prot.Write, missing);
        consumer.Consumer.Exit();
        Assert.That(new System.Span<ulong>(missing, count).ToArray(),
            Is.EqualTo(new ulong[] { 0x1234, 0x3000, 0x5000 }));
        Assert.That(MissingPages.Fault(consumer.Consumer, missing, count, Prot.Write),
            Is.EqualTo(FaultStatus.Resolved));
        Assert.That(guest.Counters.SpuriousFaults, Is.Zero);
        Assert.That(guest.Counters.ResidentPages, Is.EqualTo(5));
    }

    [Test]
    public void TheFirstPageThatCannotBeHadSaysWhy()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 4 << 20 });
        using var guest = new Guest(arena, new GuestOptions());
        using GuestConsumer consumer = guest.AddConsumer();
        guest.MapMemory(new Gpa(0), 0x1000);
        guest.MapMemory(new Gpa(0x1000), 0x1000, Prot.Read);
        ulong* missing = stackalloc ulong[3] { 0, 0x1000, 0x2000 };
        Assert.That(MissingPages.Fault(consumer.Consumer, missing, 3, Prot.Write), Is.EqualTo(FaultStatus.Protection));
        Assert.That(MissingPages.Fault(consumer.Consumer, missing, 3, Prot.Read), Is.EqualTo(FaultStatus.NoMapping));
    }
}
