using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.AddressSpace;

public sealed unsafe class VmspaceProtectTests
{
    private Arena _arena = null!;

    [SetUp]
    public void SetUp() => _arena = new Arena(new ArenaOptions { Bytes = 4 << 20 });

    [TearDown]
    public void TearDown()
    {
        ArenaBalance.AssertWhole(_arena);
        _arena.Dispose();
    }

    [TestCaseSource(typeof(GuestFormats), nameof(GuestFormats.All))]
    public void RightsGoAtOnceAndComeWithTheNextAccess(GuestFormat format)
    {
        using var guest = new Guest(_arena, format.Options());
        using var vcpu = new TestVcpu(guest);
        guest.MapMemory(new Gpa(0), 1 << 20);
        vcpu.Write(0x2000, 1);
        guest.Protect(new Gpa(0x2000), 0x1000, Prot.Read);
        Assert.That(vcpu.Read(0x2000), Is.EqualTo(1));
        Assert.That(vcpu.TryAccess(0x2000, Prot.Write, out _), Is.EqualTo(FaultStatus.Protection));
        if (format != GuestFormat.X86)
        {
            Assert.That(vcpu.TryAccess(0x2000, Prot.Execute, out _), Is.EqualTo(FaultStatus.Protection));
        }
        vcpu.Write(0x3000, 2);
        guest.Protect(new Gpa(0), 0x10000, Prot.ReadExecute);
        Assert.That(vcpu.TryAccess(0x3000, Prot.Execute, out _), Is.EqualTo(FaultStatus.Resolved));
        guest.Protect(new Gpa(0x2000), 0x1000, Prot.All);
        vcpu.Write(0x2000, 3);
        Assert.That(vcpu.Read(0x2000), Is.EqualTo(3));
        guest.Protect(new Gpa(0x2000), 0x1000, Prot.None);
        Assert.That(vcpu.TryAccess(0x2000, Prot.Read, out _), Is.EqualTo(FaultStatus.Protection));
        guest.Protect(new Gpa(0x2000), 0x1000, Prot.ReadWrite);
        Assert.That(vcpu.Read(0x2000), Is.EqualTo(3));
        guest.Pmap.CheckConsistency();
    }

    [Test]
    public void ARomIsNeverWritable()
    {
        using var guest = new Guest(_arena, new GuestOptions());
        guest.MapRom(new Gpa(0), [1]);
        Assert.That(() => guest.Protect(new Gpa(0), 0x1000, Prot.All), Throws.TypeOf<MapException>()
            .With.Property(nameof(MapException.Error)).EqualTo(MapError.Rights).And.Message.Contain("ReadExecute"));
        guest.Protect(new Gpa(0), 0x1000, Prot.Read);
        guest.Protect(new Gpa(0), 0x1000, Prot.ReadExecute);
    }

    [Test]
    public void AHoleIsRefusedByItsAddress()
    {
        using var guest = new Guest(_arena, new GuestOptions());
        guest.MapMemory(new Gpa(0), 0x2000);
        guest.MapMemory(new Gpa(0x3000), 0x1000);
        Assert.That(() => guest.Protect(new Gpa(0), 0x4000, Prot.Read), Throws.TypeOf<MapException>()
            .With.Property(nameof(MapException.Error)).EqualTo(MapError.NotMapped)
            .And.Property(nameof(MapException.Address)).EqualTo(0x2000UL));
        using var vcpu = new TestVcpu(guest);
        vcpu.Write(0x1000, 1);
    }

    [Test]
    public void WideningShootsNothingDown()
    {
        using var guest = new Guest(_arena, new GuestOptions());
        guest.MapMemory(new Gpa(0), 0x2000, Prot.Read);
        guest.Protect(new Gpa(0), 0x2000, Prot.All);
        Assert.That(guest.Counters.Invalidations, Is.Zero);
        guest.Protect(new Gpa(0), 0x1000, Prot.ReadWrite);
        Assert.That(guest.Counters.Invalidations, Is.EqualTo(1));
    }
}
