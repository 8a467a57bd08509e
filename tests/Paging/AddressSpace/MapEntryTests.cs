using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;

namespace Pagoda.Tests.AddressSpace;

public sealed unsafe class MapEntryTests
{
    [Test]
    public void TwoEntriesShareACacheLine() => Assert.That(sizeof(MapEntry), Is.EqualTo(32));

    [Test]
    public void AddressesInsideMapToPagesAndDeviceAddresses()
    {
        var entry = new MapEntry { Start = 0x10_0000, End = 0x20_0000, Page = 5 };
        Assert.That(entry.Length, Is.EqualTo(0x10_0000));
        Assert.That(entry.PageAt(0x10_0FFF), Is.EqualTo(5));
        Assert.That(entry.PageAt(0x10_1000), Is.EqualTo(6));
        Assert.That(entry.DeviceHpa(0x10_1234), Is.EqualTo(0x6234));
    }

    [Test]
    public void OnlyAnEntryThatGoesOnEverywhereContinues()
    {
        var low = new MapEntry { Start = 0, End = 0x3000, Page = 7, Object = 1, Prot = Prot.Read, ProtMax = Prot.All };
        var high = new MapEntry
        {
            Start = 0x3000, End = 0x4000, Page = 10, Object = 1, Prot = Prot.Read, ProtMax = Prot.All,
        };
        Assert.That(low.IsContinuedBy(in high), Is.True);
        foreach (MapEntry other in new[]
        {
            high with { Start = 0x3001 }, high with { Page = 11 }, high with { Object = 2 },
            high with { Prot = Prot.All }, high with { ProtMax = Prot.Read }, high with { Kind = MapKind.Device },
            high with { Wires = 1 },
        })
        {
            Assert.That(low.IsContinuedBy(in other), Is.False);
        }
    }
}
