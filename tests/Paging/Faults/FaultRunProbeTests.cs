using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Diagnostics;
using Pagoda.Faults;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Faults;

public sealed class FaultRunProbeTests
{
    [TestCaseSource(typeof(GuestFormats), nameof(GuestFormats.All))]
    public void AFaultOnAnEntryThatAllowsTheAccessIsSpurious(GuestFormat format)
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 4 << 20 });
        using var guest = new Guest(arena, format.Options());
        using GuestConsumer consumer = guest.AddConsumer();
        guest.MapMemory(new Gpa(0), 1 << 20);
        Assert.That(consumer.Fault(0x1234, Prot.Write, out ulong first), Is.EqualTo(FaultStatus.Resolved));
        Assert.That(consumer.Fault(0x1235, Prot.Write, out ulong second), Is.EqualTo(FaultStatus.Spurious));
        Assert.That(consumer.Fault(0x1236, Prot.Read, out _), Is.EqualTo(FaultStatus.Spurious));
        Assert.That(second, Is.EqualTo(first + 1));
        Assert.That(guest.Counters.SpuriousFaults, Is.EqualTo(2));
        Assert.That(guest.Counters.NestedFaults, Is.EqualTo(1));
    }

    [Test]
    public void EmulationSetsWhatTheAccessNeedsAndCountsIt()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 4 << 20 });
        using var guest = new Guest(arena, GuestFormat.EptEmulated.Options());
        using GuestConsumer consumer = guest.AddConsumer();
        guest.MapMemory(new Gpa(0), 1 << 20);
        consumer.Fault(0x1000, Prot.Read, out ulong read);
        Assert.That(consumer.Fault(0x1008, Prot.Write, out ulong written), Is.EqualTo(FaultStatus.Emulated));
        Assert.That(written, Is.EqualTo(read + 8));
        Assert.That(consumer.Consumer.TryEnter(), Is.True);
        Assert.That(guest.Pmap.ClearReferenced(0x1000, out bool moved), Is.True);
        Assert.That(moved, Is.True, "M went to the frame with A");
        consumer.Consumer.Exit();
        Assert.That(consumer.Fault(0x1000, Prot.Execute, out _), Is.EqualTo(FaultStatus.Emulated));
        GuestCounters counters = guest.Counters;
        Assert.That(counters.DirtyEmulations, Is.EqualTo(1));
        Assert.That(counters.AccessedEmulations, Is.EqualTo(1));
        Assert.That(counters.SpuriousFaults, Is.Zero);
        ulong[] bitmap = new ulong[4];
        Assert.That(guest.HarvestModified(new Gpa(0), 1 << 20, bitmap), Is.EqualTo(1));
    }
}
