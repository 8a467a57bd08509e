using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.AddressSpace;

public sealed unsafe class VmspaceRemapTests
{
    private Arena _arena = null!;
    private Guest _guest = null!;

    [SetUp]
    public void SetUp()
    {
        _arena = new Arena(new ArenaOptions { Bytes = 4 << 20 });
        _guest = new Guest(_arena, new GuestOptions());
    }

    [TearDown]
    public void TearDown()
    {
        _guest.Dispose();
        ArenaBalance.AssertWhole(_arena);
        _arena.Dispose();
    }

    [Test]
    public void ContentRightsAndMarksMoveAlong()
    {
        using var vcpu = new TestVcpu(_guest);
        _guest.MapMemory(new Gpa(0), 0x4000);
        _guest.MapRom(new Gpa(0x4000), [7, 8, 9]);
        vcpu.Write(0x1000, 1);
        vcpu.Read(0x4001);
        _guest.Remap(new Gpa(0), 0x5000, new Gpa(1UL << 32));
        Assert.That(vcpu.TryAccess(0x1000, Prot.Read, out _), Is.EqualTo(FaultStatus.NoMapping));
        ulong[] bitmap = new ulong[1];
        Assert.That(_guest.HarvestModified(new Gpa(1UL << 32), 0x5000, bitmap), Is.EqualTo(1));
        Assert.That(bitmap[0], Is.EqualTo(2), "written before the move, not mapped since");
        Assert.That(vcpu.Read((1UL << 32) + 0x1000), Is.EqualTo(1));
        Assert.That(vcpu.Read((1UL << 32) + 0x4002), Is.EqualTo(9));
        Assert.That(vcpu.TryAccess((1UL << 32) + 0x4002, Prot.Write, out _), Is.EqualTo(FaultStatus.Protection));
        Assert.That(_guest.HarvestModified(new Gpa(1UL << 32), 0x5000, bitmap), Is.Zero);
    }

    [Test]
    public void OverlapsAndHolesAreRefused()
    {
        _guest.MapMemory(new Gpa(0), 0x3000);
        _guest.MapMemory(new Gpa(0x10000), 0x1000);
        Refuse(MapError.Overlap, 0, 0x3000, 0xF000);
        Refuse(MapError.Overlap, 0, 0x3000, 0x1000);
        Refuse(MapError.NotMapped, 0, 0x4000, 0x20000);
        Refuse(MapError.Unaligned, 0, 0x3000, 0x20001);
        Refuse(MapError.BeyondAddressWidth, 0, 0x3000, (1UL << 46) - 0x1000);
        _guest.Remap(new Gpa(0), 0x3000, new Gpa(0x3000));
    }

    private void Refuse(MapError error, ulong from, ulong length, ulong to) => Assert.That(
        () => _guest.Remap(new Gpa(from), length, new Gpa(to)),
        Throws.TypeOf<MapException>().With.Property(nameof(MapException.Error)).EqualTo(error));
}
