using System;
using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.AddressSpace;

/// <summary>What is refused, and that a refusal changes nothing.</summary>
public sealed unsafe class VmspaceWireTests
{
    private const ulong Page = 4096;
    private Arena _arena = null!;
    private Guest _guest = null!;

    [SetUp]
    public void SetUp()
    {
        _arena = new Arena(new ArenaOptions { Bytes = 4 << 20 });
        _guest = new Guest(_arena, new GuestOptions { Consumers = 4 });
        _guest.MapMemory(new Gpa(0), 16 * Page);
    }

    [TearDown]
    public void TearDown()
    {
        _guest.Dispose();
        ArenaBalance.AssertWhole(_arena);
        _arena.Dispose();
    }

    [Test]
    public void AHoleIsRefusedByItsAddress()
    {
        AssertRefused(MapError.NotMapped, 16 * Page, () => _guest.Wire(new Gpa(8 * Page), 9 * Page));
        AssertRefused(MapError.NotMapped, 16 * Page, () => _guest.Unwire(new Gpa(8 * Page), 9 * Page));
        AssertRefused(MapError.Unaligned, 8, () => _guest.Wire(new Gpa(8), Page));
        AssertRefused(MapError.ZeroLength, 0, () => _guest.Unwire(new Gpa(0), 0));
        AssertUntouched();
    }

    [Test]
    public void ADeviceIsRefusedByItsAddress()
    {
        byte* host = stackalloc byte[(int)Page];
        _guest.MapDevice(new Gpa(16 * Page), Page, host);
        AssertRefused(MapError.Device, 16 * Page, () => _guest.Wire(new Gpa(8 * Page), 9 * Page));
        AssertUntouched();
    }

    [Test]
    public void ARangeWithoutAnyRightIsRefused()
    {
        _guest.Protect(new Gpa(3 * Page), Page, Prot.None);
        AssertRefused(MapError.Rights, 3 * Page, () => _guest.Wire(new Gpa(0), 9 * Page));
        AssertUntouched();
    }

    [Test]
    public void TheTwoHundredAndFiftySixthWiringIsRefused()
    {
        for (int i = 0; i < 255; i++) _guest.Wire(new Gpa(Page), Page);
        AssertRefused(MapError.TooManyWires, Page, () => _guest.Wire(new Gpa(0), 9 * Page));
        for (int i = 0; i < 255; i++) _guest.Unwire(new Gpa(Page), Page);
        AssertUntouched();
        Assert.That(_guest.Space.Map.Count, Is.EqualTo(1));
    }

    [Test]
    public void AWiredRangeStaysWhereItIs()
    {
        _guest.Wire(new Gpa(4 * Page), 2 * Page);
        AssertRefused(MapError.Wired, 4 * Page, () => _guest.Unmap(new Gpa(0), 16 * Page));
        AssertRefused(MapError.Wired, 4 * Page, () => _guest.Remap(new Gpa(0), 16 * Page, new Gpa(1 << 20)));
        AssertRefused(MapError.Wired, 5 * Page, () => _guest.Protect(new Gpa(5 * Page), Page, Prot.None));
        Assert.That(_guest.Counters.WiredPages, Is.EqualTo(2));
        _guest.Unmap(new Gpa(0), 4 * Page);
        _guest.Unmap(new Gpa(6 * Page), 10 * Page);
        _guest.Unwire(new Gpa(4 * Page), 2 * Page);
        _guest.Unmap(new Gpa(4 * Page), 2 * Page);
    }

    [TestCaseSource(typeof(GuestFormats), nameof(GuestFormats.All))]
    public void RightsChangeUnderAWiringAndNeedNoFault(GuestFormat format)
    {
        using var guest = new Guest(_arena, format.Options());
        using var vcpu = new TestVcpu(guest);
        guest.MapMemory(new Gpa(0), 8 * Page, Prot.Read);
        guest.Wire(new Gpa(0), 8 * Page);
        guest.Protect(new Gpa(2 * Page), 4 * Page, Prot.All);
        for (ulong page = 2; page < 6; page++) vcpu.Write(page * Page, 1);
        Assert.That(vcpu.Faults, Is.Zero);
        guest.Protect(new Gpa(0), 8 * Page, Prot.Read);
        Assert.That(vcpu.Read(2 * Page), Is.EqualTo(1));
        Assert.That(vcpu.Faults, Is.Zero);
        Assert.That(guest.Counters.WiredPages, Is.EqualTo(8));
        guest.Pmap.CheckConsistency();
    }

    private void AssertUntouched()
    {
        Assert.That(_guest.Counters.WiredPages, Is.Zero);
        Assert.That(_guest.Counters.ResidentPages, Is.LessThanOrEqualTo(1));
    }

    private static void AssertRefused(MapError error, ulong address, Action call) =>
        Assert.That(call, Throws.TypeOf<MapException>().With.Property(nameof(MapException.Error)).EqualTo(error)
            .And.Property(nameof(MapException.Address)).EqualTo(address));
}
