using System;
using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests;

public sealed unsafe class GuestMapTests
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
    public void LowMemoryEndsAtThreeGibibytesAndTheRestStartsAtFour()
    {
        GuestLayout layout = _guest.MapLowAndHigh(5UL << 30);
        Assert.That(layout, Is.EqualTo(new GuestLayout(3UL << 30, 2UL << 30)));
        using var vcpu = new TestVcpu(_guest);
        foreach (ulong gpa in new[] { 0UL, (3UL << 30) - 1, 4UL << 30, (6UL << 30) - 1 }) vcpu.Write(gpa, 1);
        foreach (ulong gpa in new[] { 3UL << 30, (4UL << 30) - 1, 6UL << 30 })
        {
            Assert.That(vcpu.TryAccess(gpa, Prot.Read, out _), Is.EqualTo(FaultStatus.NoMapping));
        }
        _guest.Unmap(new Gpa(0), 3UL << 30);
        Assert.That(vcpu.Read((6UL << 30) - 1), Is.EqualTo(1));
    }

    [Test]
    public void HighMemoryThatDoesNotFitTakesLowMemoryBack()
    {
        _guest.MapMemory(new Gpa(5UL << 30), 0x1000);
        Assert.That(() => _guest.MapLowAndHigh(5UL << 30), Throws.TypeOf<MapException>());
        Assert.That(_guest.Space.Map.Count, Is.EqualTo(1));
        _guest.MapLowAndHigh(4UL << 30);
    }

    [Test]
    public void MadeMemoryMayBeShownTwiceAndOutlivesItsMaker()
    {
        using (VmObject memory = _guest.MakeMemory(0x2000))
        {
            _guest.MapObject(new Gpa(0), memory, 0, 0x2000);
            _guest.MapObject(new Gpa(0x10000), memory, 0x1000, 0x1000);
        }
        using var vcpu = new TestVcpu(_guest);
        vcpu.Write(0x1005, 7);
        Assert.That(vcpu.Read(0x10005), Is.EqualTo(7));
        Assert.That(() => _guest.MakeMemory(5), Throws.TypeOf<MapException>());
    }

    [Test]
    public void ARomIsItsImageAndThenZeros()
    {
        _guest.MapRom(new Gpa(0xF0000), [1, 2, 3]);
        byte[] page = new byte[4096];
        Assert.That(_guest.Read(new Gpa(0xF0000), page), Is.EqualTo(FaultStatus.Resolved));
        Assert.That(page.AsSpan(0, 4).ToArray(), Is.EqualTo(new byte[] { 1, 2, 3, 0 }));
        Assert.That(page[4095], Is.Zero);
        Assert.That(_guest.Read(new Gpa(0xF1000), page.AsSpan(0, 1)), Is.EqualTo(FaultStatus.NoMapping));
        Assert.That(() => _guest.MapRom(new Gpa(0), []), Throws.TypeOf<MapException>());
    }

    [Test]
    public void ARefusedDeviceLeavesNoRangeBehind()
    {
        using var host = new GuardedRegion(0x1000, 0x1000);
        _guest.MapMemory(new Gpa(0), 0x1000);
        int before = _arena.Devices.Count;
        byte* memory = host.Base;
        Assert.That(() => _guest.MapDevice(new Gpa(0), 0x1000, memory), Throws.TypeOf<MapException>());
        Assert.That(_arena.Devices.Count, Is.EqualTo(before));
    }

    [Test]
    public void NoObjectIsLeftBehindByARefusal()
    {
        _guest.MapMemory(new Gpa(0), 0x1000);
        Assert.That(() => _guest.MapMemory(new Gpa(0), 0x1000), Throws.TypeOf<MapException>());
        using var probe = new VmObject(_arena, 0x1000);
        Assert.That(probe.Id, Is.EqualTo(2));
    }
}
