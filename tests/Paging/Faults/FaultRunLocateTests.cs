using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Faults;

public sealed class FaultRunLocateTests
{
    [Test]
    public void EachLaneEndsByWhatTheMapSaysOfIt()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 4 << 20 });
        using var guest = new Guest(arena, new GuestOptions());
        using GuestConsumer consumer = guest.AddConsumer();
        guest.MapMemory(new Gpa(0x10000), 0x2000, Prot.Read);
        guest.MapRom(new Gpa(0x12000), [1]);
        guest.MapMemory(new Gpa(0x20000), 0x1000);
        ulong[] gpa =
        [
            0x20FFF, 0xFFFF, 0x10000, 0x11000, 0x12000, 0x13000, ulong.MaxValue, 1UL << 47, 0x21000, 0x12001,
        ];
        Prot[] access =
        [
            Prot.Write, Prot.Read, Prot.Read, Prot.Write, Prot.Execute, Prot.Read, Prot.Read, Prot.Write, Prot.Read,
            Prot.Write,
        ];
        ulong[] hpa = new ulong[gpa.Length];
        var status = new FaultStatus[gpa.Length];
        Assert.That(consumer.Fault(new FaultBatch(gpa, access, hpa, status)), Is.EqualTo(3));
        FaultStatus[] expected =
        [
            FaultStatus.Resolved, FaultStatus.NoMapping, FaultStatus.Resolved, FaultStatus.Protection,
            FaultStatus.Resolved, FaultStatus.NoMapping, FaultStatus.NoMapping, FaultStatus.NoMapping,
            FaultStatus.NoMapping, FaultStatus.Protection,
        ];
        Assert.That(status, Is.EqualTo(expected));
        for (int i = 0; i < gpa.Length; i++) Assert.That(hpa[i] != 0, Is.EqualTo(status[i] == FaultStatus.Resolved));
        Assert.That(guest.Counters.UnmappedFaults, Is.EqualTo(5));
        Assert.That(guest.Counters.FailedFaults, Is.EqualTo(2));
    }

    [Test]
    public void FaultsInHolesTakeNoFrame()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 4 << 20 });
        using var guest = new Guest(arena, new GuestOptions());
        using (GuestConsumer consumer = guest.AddConsumer())
        {
            for (ulong gpa = 0; gpa < 1UL << 40; gpa += 1UL << 34) consumer.Fault(gpa, Prot.Read, out _);
        }
        Assert.That(ArenaBalance.Of(arena), Is.EqualTo(arena.FrameCount - 2), "the top table alone");
    }
}
