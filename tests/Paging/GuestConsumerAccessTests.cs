using System;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.GuestAccess;
using Pagoda.Physical;

namespace Pagoda.Tests;

public sealed unsafe class GuestConsumerAccessTests
{
    [Test]
    public void AccessThroughTheConsumersSlotLeavesItFirst()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 4 << 20 });
        using var guest = new Guest(arena, new GuestOptions());
        using GuestConsumer consumer = guest.AddConsumer();
        guest.MapMemory(new Gpa(0), 1 << 20);
        consumer.Enter(out _);
        Assert.That(consumer.Write(new Gpa(0xFFE), [1, 2, 3, 4]), Is.EqualTo(FaultStatus.Resolved));
        Assert.That(consumer.IsInside, Is.False);
        byte[] bytes = new byte[4];
        Assert.That(consumer.Read(new Gpa(0xFFE), bytes), Is.EqualTo(FaultStatus.Resolved));
        Assert.That(bytes, Is.EqualTo(new byte[] { 1, 2, 3, 4 }));
        consumer.Enter(out _);
        Assert.That(consumer.TryTranslate(new Gpa(0xFFE), Prot.Write, out _), Is.True);
        consumer.Enter(out _);
        var spans = new GuestSpan[2];
        Assert.That(consumer.Hold(new Gpa(0xFFE), 4, Prot.Read, spans, out int count),
            Is.EqualTo(FaultStatus.Resolved));
        Assert.That(spans[0].Bytes[0], Is.EqualTo(1));
        consumer.Release(spans.AsSpan(0, count));
        consumer.Enter(out _);
        nint[] pointer = new nint[1];
        Assert.That(consumer.HoldBatch([0x1001], Prot.Read, pointer, new FaultStatus[1]), Is.EqualTo(1));
        Assert.That(*(byte*)pointer[0], Is.EqualTo(4));
        consumer.ReleaseBatch(pointer, Prot.Read);
        Assert.That(guest.Counters.Holds, Is.EqualTo(guest.Counters.Releases));
    }
}
