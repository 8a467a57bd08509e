using System;
using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Pagers;
using Pagoda.Physical;
using Pagoda.Tests.Pagers;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.AddressSpace;

public sealed unsafe class VmObjectTests
{
    private Arena _arena = null!;

    [SetUp]
    public void SetUp() => _arena = new Arena(new ArenaOptions { Bytes = 4 << 20 });

    [TearDown]
    public void TearDown() => _arena.Dispose();

    [TestCase(0UL, MapError.ZeroLength)]
    [TestCase(4097UL, MapError.Unaligned)]
    [TestCase((VmObject.PagesMax + 1) << 12, MapError.ObjectRange)]
    public void AWrongLengthIsRefused(ulong length, MapError error) => Assert.That(() => new VmObject(_arena, length),
        Throws.TypeOf<MapException>().With.Property(nameof(MapException.Error)).EqualTo(error));

    [Test]
    public void ASwapPagerServesOneObjectThatIsNotLonger()
    {
        using var space = new SwapSpace(new MemorySwapStore(8));
        using var pager = new SwapPager(space, 16);
        Assert.That(() => new VmObject(_arena, 17 << 12, pager), Throws.ArgumentException);
        using (new VmObject(_arena, 16 << 12, pager))
        {
            Assert.That(() => new VmObject(_arena, 16 << 12, pager), Throws.ArgumentException);
        }
        Assert.That(() => new SwapPager(space, ulong.MaxValue), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void AnUntouchedTebibyteTakesNoFrame()
    {
        ulong before = ArenaBalance.Of(_arena);
        using var memory = new VmObject(_arena, 1UL << 40);
        using var guest = new Guest(_arena, new GuestOptions());
        ulong withTables = ArenaBalance.Of(_arena);
        guest.MapObject(new Gpa(0), memory, 0, 1UL << 40);
        Assert.That(ArenaBalance.Of(_arena), Is.EqualTo(withTables));
        Assert.That(before - withTables, Is.EqualTo(1), "the guest's top table");
        using GuestConsumer consumer = guest.AddConsumer();
        Assert.That(consumer.Fault((1UL << 40) - 1, Prot.Write, out _), Is.EqualTo(Pagoda.Faults.FaultStatus.Resolved));
        Assert.That(guest.Counters.ResidentPages, Is.EqualTo(1));
    }

    [Test]
    public void PagesLiveWhileTheObjectIsMappedOrItsMakerHasIt()
    {
        using var guest = new Guest(_arena, new GuestOptions());
        var memory = new VmObject(_arena, 1 << 20);
        guest.MapObject(new Gpa(0), memory, 0, 1 << 20);
        guest.Write(new Gpa(0x1000), [1, 2, 3]);
        guest.Unmap(new Gpa(0), 1 << 20);
        guest.MapObject(new Gpa(1 << 30), memory, 0x1000, 0x1000);
        byte[] bytes = new byte[3];
        guest.Read(new Gpa(1 << 30), bytes);
        Assert.That(bytes, Is.EqualTo(new byte[] { 1, 2, 3 }));
        memory.Dispose();
        memory.Dispose();
        guest.Read(new Gpa((1 << 30) + 2), bytes.AsSpan(0, 1));
        Assert.That(bytes[0], Is.EqualTo(3));
        guest.Dispose();
        ArenaBalance.AssertWhole(_arena);
    }

    [Test]
    public void ADisposedObjectCannotBeMapped()
    {
        using var guest = new Guest(_arena, new GuestOptions());
        var memory = new VmObject(_arena, 1 << 20);
        memory.Dispose();
        Assert.That(() => guest.MapObject(new Gpa(0), memory, 0, 0x1000),
            Throws.TypeOf<MapException>().With.Property(nameof(MapException.Error)).EqualTo(MapError.WrongObject));
        guest.MapMemory(new Gpa(0), 0x1000);
    }

    [Test]
    public void TwoGuestsSeeEachOthersWritesInASharedObject()
    {
        using var memory = new VmObject(_arena, 1 << 20);
        using var one = new Guest(_arena, GuestFormat.Ept.Options());
        using var two = new Guest(_arena, GuestFormat.Rvi.Options());
        one.MapObject(new Gpa(0), memory, 0, 1 << 20);
        two.MapObject(new Gpa(0x7000), memory, 0x3000, 0x4000, Prot.Read);
        one.Write(new Gpa(0x4567), [42]);
        byte[] seen = new byte[1];
        two.Read(new Gpa(0x8567), seen);
        Assert.That(seen[0], Is.EqualTo(42));
        Assert.That(two.Write(new Gpa(0x8567), seen), Is.EqualTo(Pagoda.Faults.FaultStatus.Protection));
    }
}
