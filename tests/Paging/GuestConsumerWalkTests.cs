using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests;

public sealed class GuestConsumerWalkTests
{
    [TestCaseSource(typeof(GuestFormats), nameof(GuestFormats.All))]
    public void AWalkTranslatesMarksAndSaysWhatItGrants(GuestFormat format)
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 4 << 20 });
        using var guest = new Guest(arena, format.Options());
        using GuestConsumer consumer = guest.AddConsumer();
        guest.MapMemory(new Gpa(0), 1 << 20);
        guest.MapRom(new Gpa(1 << 20), [1]);
        Assert.That(Walk(consumer, 0x1234, Prot.Read, out ulong hpa, out _), Is.False);
        Assert.That(hpa, Is.Zero);
        consumer.Fault(0x1234, Prot.Read, out ulong faulted);
        Assert.That(Walk(consumer, 0x1234, Prot.Read, out hpa, out Prot granted), Is.True);
        Assert.That(hpa, Is.EqualTo(faulted));
        Assert.That(granted & Prot.Write, Is.EqualTo(Prot.None), "a write must be marked first");
        if (!Walk(consumer, 0x1234, Prot.Write, out _, out granted))
        {
            Assert.That(format, Is.EqualTo(GuestFormat.EptEmulated));
            Assert.That(consumer.Fault(0x1234, Prot.Write, out _), Is.EqualTo(FaultStatus.Emulated));
            Assert.That(Walk(consumer, 0x1234, Prot.Write, out _, out granted), Is.True);
        }
        Assert.That(granted & Prot.ReadWrite, Is.EqualTo(Prot.ReadWrite));
        Assert.That(guest.HarvestModified(new Gpa(0), 1 << 20, new ulong[4]), Is.EqualTo(1));
        consumer.Fault(1 << 20, Prot.Execute, out _);
        Assert.That(Walk(consumer, 1 << 20, Prot.Execute, out _, out _), Is.True);
        Assert.That(Walk(consumer, 1 << 20, Prot.Write, out _, out _), Is.False);
    }

    private static bool Walk(GuestConsumer consumer, ulong gpa, Prot access, out ulong hpa, out Prot granted)
    {
        Assert.That(consumer.Enter(out bool flush), Is.True);
        if (flush) consumer.Acknowledge();
        bool found = consumer.TryWalk(gpa, access, out hpa, out granted);
        consumer.Exit();
        return found;
    }
}
