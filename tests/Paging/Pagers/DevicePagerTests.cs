using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.Pagers;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Pagers;

public sealed unsafe class DevicePagerTests
{
    [Test]
    public void RangesLieInTheDeviceSpaceUntilTheyAreRemoved()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 1 << 20 });
        using var host = new GuardedRegion(0x2000, 0x1000);
        var memory = new DevicePager(arena, 0x2000, host.Base);
        Assert.That(memory.Hpa, Is.GreaterThanOrEqualTo(arena.DeviceBase));
        Assert.That(arena.Devices.TryFind(memory.Hpa + 0x1FFF, out DeviceRange range), Is.True);
        Assert.That(range.HostPointer == host.Base);
        var status = new PagerStatus[1];
        memory.Read(new PagerBatch(arena.Base, [0], [1], status));
        Assert.That(status[0], Is.EqualTo(PagerStatus.Error));
        memory.Write(new PagerBatch(arena.Base, [0], [1], status));
        Assert.That(status[0], Is.EqualTo(PagerStatus.Error));
        memory.Discard([0]);
        memory.Remove();
        Assert.That(arena.Devices.TryFind(memory.Hpa, out _), Is.False);
    }

    [TestCaseSource(typeof(GuestFormats), nameof(GuestFormats.All))]
    public void AGuestsAccessTranslatesToTheRange(GuestFormat format)
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 1 << 20 });
        using var guest = new Guest(arena, format.Options());
        var echo = new Echo();
        guest.MapDevice(new Gpa(0xFEE0_0000), 0x2000, echo);
        using GuestConsumer consumer = guest.AddConsumer();
        Assert.That(consumer.Fault(0xFEE0_1234, Prot.Write, out ulong hpa), Is.EqualTo(FaultStatus.Resolved));
        Assert.That(arena.IsArena(hpa), Is.False);
        Assert.That(arena.Devices.TryFind(hpa, out DeviceRange range), Is.True);
        range.Write(hpa, 4, 77);
        Assert.That(echo.Offset, Is.EqualTo(0x1234));
        Assert.That(echo.Value, Is.EqualTo(77));
        Assert.That(consumer.Fault(0xFEE0_0000, Prot.Execute, out _), Is.EqualTo(FaultStatus.Protection));
        guest.Pmap.CheckConsistency();
    }

    private sealed class Echo : IDeviceMemory
    {
        public ulong Offset { get; private set; }

        public ulong Value { get; private set; }

        public ulong Read(ulong offset, int size) => Value;

        public void Write(ulong offset, int size, ulong value)
        {
            Offset = offset;
            Value = value;
        }
    }
}
