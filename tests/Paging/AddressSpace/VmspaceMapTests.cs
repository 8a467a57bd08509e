using System;
using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.PageTables;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.AddressSpace;

public sealed unsafe class VmspaceMapTests
{
    private const ulong Mebibyte = 1 << 20;
    private Arena _arena = null!;
    private Guest _guest = null!;
    private VmObject _memory = null!;

    [SetUp]
    public void SetUp()
    {
        _arena = new Arena(new ArenaOptions { Bytes = 4 << 20 });
        _guest = new Guest(_arena, new GuestOptions());
        _memory = new VmObject(_arena, Mebibyte);
    }

    [TearDown]
    public void TearDown()
    {
        _guest.Dispose();
        _memory.Dispose();
        ArenaBalance.AssertWhole(_arena);
        _arena.Dispose();
    }

    [TestCase(0UL, 0UL, MapError.ZeroLength)]
    [TestCase(0x800UL, 0x1000UL, MapError.Unaligned)]
    [TestCase(0UL, 0x1800UL, MapError.Unaligned)]
    [TestCase(0xFFFF_FFFF_FFFF_F000UL, 0x2000UL, MapError.Overflow)]
    [TestCase(0x3FFF_FFFF_F000UL, 0x2000UL, MapError.BeyondAddressWidth)]
    public void ABadRangeIsRefused(ulong gpa, ulong length, MapError error)
    {
        Refuse(error, () => _guest.MapMemory(new Gpa(gpa), length));
        Refuse(error, () => _guest.MapDevice(new Gpa(gpa), length, new NoDevice()));
        Refuse(error, () => _guest.MapRom(new Gpa(gpa), length, Pagoda.Pagers.ZeroFillPager.Instance));
    }

    [TestCase(0x10_0000UL, 0x1000UL)]
    [TestCase(0xF_F000UL, 0x2000UL)]
    [TestCase(0x1F_F000UL, 0x1000UL)]
    [TestCase(0UL, 0x40_0000UL)]
    public void AnOverlapIsRefusedAndNamesBoth(ulong gpa, ulong length)
    {
        _guest.MapMemory(new Gpa(Mebibyte), Mebibyte);
        Assert.That(() => _guest.MapMemory(new Gpa(gpa), length), Throws.TypeOf<MapException>()
            .With.Property(nameof(MapException.Error)).EqualTo(MapError.Overlap)
            .And.Message.Contain("0x" + gpa.ToString("x", null)).And.Message.Contain("0x100000 to 0x200000")
            .And.Message.Contain("unmap"));
        Assert.That(_guest.Counters.Invalidations, Is.Zero);
    }

    [TestCase(0UL, 2 * Mebibyte)]
    [TestCase(Mebibyte, 0x1000UL)]
    [TestCase(0x800UL, 0x1000UL)]
    [TestCase(0xFFFF_FFFF_FFFF_F000UL, 0x2000UL)]
    public void ARunOutsideTheObjectIsRefused(ulong offset, ulong length) =>
        Refuse(MapError.ObjectRange, () => _guest.MapObject(new Gpa(0), _memory, offset, length));

    [Test]
    public void AnObjectOfAnotherArenaIsRefused()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 1 << 20 });
        using var memory = new VmObject(arena, Mebibyte);
        Refuse(MapError.WrongObject, () => _guest.MapObject(new Gpa(0), memory, 0, Mebibyte));
    }

    [TestCase(Prot.Write)]
    [TestCase(Prot.Execute)]
    [TestCase(Prot.Write | Prot.Execute)]
    public void RightsThatNoEntryCanHaveAreRefused(Prot prot) =>
        Refuse(MapError.Rights, () => _guest.MapMemory(new Gpa(0), Mebibyte, prot));

    [Test]
    public void ExecuteAloneNeedsTheProcessorsConsent()
    {
        using var guest = new Guest(_arena, new GuestOptions { ExecOnly = true });
        guest.MapMemory(new Gpa(0), Mebibyte, Prot.Execute);
        using GuestConsumer consumer = guest.AddConsumer();
        Assert.That(consumer.Fault(0, Prot.Execute, out _), Is.EqualTo(FaultStatus.Resolved));
        Assert.That(consumer.Fault(0, Prot.Read, out _), Is.EqualTo(FaultStatus.Protection));
    }

    [Test]
    public void NoRightsIsAMappingToo()
    {
        _guest.MapMemory(new Gpa(0), Mebibyte, Prot.None);
        using GuestConsumer consumer = _guest.AddConsumer();
        Assert.That(consumer.Fault(0, Prot.Read, out _), Is.EqualTo(FaultStatus.Protection));
        _guest.Protect(new Gpa(0), Mebibyte, Prot.Read);
        Assert.That(consumer.Fault(0, Prot.Read, out _), Is.EqualTo(FaultStatus.Resolved));
    }

    [Test]
    public void OneObjectMayBeShownTwiceInOneGuest()
    {
        _guest.MapObject(new Gpa(0), _memory, 0, Mebibyte);
        _guest.MapObject(new Gpa(Mebibyte), _memory, 0x8000, 0x8000);
        _guest.Write(new Gpa(0x9001), [5]);
        byte[] seen = new byte[1];
        _guest.Read(new Gpa(Mebibyte + 0x1001), seen);
        Assert.That(seen[0], Is.EqualTo(5));
    }

    [Test]
    public void MappingTheWholeAddressSpaceTakesNoFrame()
    {
        ulong before = ArenaBalance.Of(_arena);
        for (ulong i = 0; i < 64; i++) _guest.MapMemory(new Gpa(i << 40), 1UL << 40);
        Assert.That(ArenaBalance.Of(_arena), Is.EqualTo(before));
    }

    private static void Refuse(MapError error, Action operation) => Assert.That(operation,
        Throws.TypeOf<MapException>().With.Property(nameof(MapException.Error)).EqualTo(error));

    private sealed class NoDevice : IDeviceMemory
    {
        public ulong Read(ulong offset, int size) => 0;

        public void Write(ulong offset, int size, ulong value)
        {
        }
    }
}
