using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests;

/// <summary>Wiring through the façade, in every table format.</summary>
[TestFixtureSource(typeof(GuestFormats), nameof(GuestFormats.All))]
public sealed unsafe class GuestWireTests(GuestFormat format)
{
    private const ulong Page = 4096;
    private Arena _arena = null!;

    [SetUp]
    public void SetUp() => _arena = new Arena(new ArenaOptions { Bytes = 8 << 20 });

    [TearDown]
    public void TearDown()
    {
        ArenaBalance.AssertWhole(_arena);
        _arena.Dispose();
    }

    [Test]
    public void AWiredRangeNeverFaults()
    {
        using var guest = new Guest(_arena, format.Options());
        using var vcpu = new TestVcpu(guest);
        guest.MapMemory(new Gpa(0), 300 * Page);
        vcpu.Write(7 * Page, 7);
        vcpu.Read(9 * Page);

        guest.Wire(new Gpa(0), 300 * Page);

        int faults = vcpu.Faults;
        for (ulong page = 0; page < 300; page++)
        {
            Assert.That(vcpu.Read(page * Page), Is.EqualTo(page == 7 ? 7 : 0));
            vcpu.Write(page * Page, (byte)(page + 1));
            Assert.That(vcpu.TryAccess(page * Page, Prot.Execute, out _), Is.EqualTo(FaultStatus.Resolved));
        }
        Assert.That(vcpu.Faults, Is.EqualTo(faults));
        Assert.That(guest.Counters.WiredPages, Is.EqualTo(300));
        guest.Pmap.CheckConsistency();
    }

    [Test]
    public void WiringsAreCountedAndMayBeTakenInParts()
    {
        using var guest = new Guest(_arena, format.Options());
        guest.MapMemory(new Gpa(0), 64 * Page);
        guest.Wire(new Gpa(0), 40 * Page);
        guest.Wire(new Gpa(20 * Page), 40 * Page);
        Assert.That(guest.Counters.WiredPages, Is.EqualTo(60));

        guest.Unwire(new Gpa(10 * Page), 20 * Page);

        Assert.That(guest.Counters.WiredPages, Is.EqualTo(50));
        Assert.That(() => guest.Unwire(new Gpa(5 * Page), 10 * Page), Throws.TypeOf<MapException>()
            .With.Property(nameof(MapException.Error)).EqualTo(MapError.NotWired)
            .And.Property(nameof(MapException.Address)).EqualTo(10 * Page)
            .And.Message.Contain("0xa000"));
        Assert.That(guest.Counters.WiredPages, Is.EqualTo(50));
        guest.Unwire(new Gpa(0), 10 * Page);
        guest.Unwire(new Gpa(20 * Page), 40 * Page);
        Assert.That(guest.Counters.WiredPages, Is.EqualTo(10));
        guest.Unwire(new Gpa(30 * Page), 10 * Page);
        Assert.That(guest.Counters.WiredPages, Is.Zero);
        Assert.That(guest.Space.Map.Count, Is.EqualTo(1), "entries are one again");
    }

    [Test]
    public void ARangeMaySpanMappingsOfAllKindsOfMemory()
    {
        using var guest = new Guest(_arena, format.Options());
        using var vcpu = new TestVcpu(guest);
        using var shared = new VmObject(_arena, 8 * Page);
        guest.MapMemory(new Gpa(0), 4 * Page);
        guest.MapRom(new Gpa(4 * Page), [1, 2, 3]);
        guest.MapObject(new Gpa(5 * Page), shared, 2 * Page, 2 * Page);
        guest.MapMemory(new Gpa(7 * Page), 4 * Page, Prot.Read);

        guest.Wire(new Gpa(2 * Page), 8 * Page);

        Assert.That(guest.Counters.WiredPages, Is.EqualTo(8));
        Assert.That(vcpu.Read(4 * Page + 2), Is.EqualTo(3));
        vcpu.Write(5 * Page, 1);
        Assert.That(vcpu.Read(7 * Page), Is.Zero);
        Assert.That(vcpu.TryAccess(7 * Page, Prot.Write, out _), Is.EqualTo(FaultStatus.Protection));
        Assert.That(vcpu.Faults, Is.EqualTo(1));
        guest.Unwire(new Gpa(2 * Page), 8 * Page);
        Assert.That(guest.Counters.WiredPages, Is.Zero);
    }

    [Test]
    public void AFrameThatTwoGuestsWireIsFreeWhenBothLetGo()
    {
        using var shared = new VmObject(_arena, 4 * Page);
        using var first = new Guest(_arena, format.Options());
        using var second = new Guest(_arena, format.Options());
        first.MapObject(new Gpa(0), shared, 0, 4 * Page);
        second.MapObject(new Gpa(0), shared, 0, 4 * Page);
        first.Wire(new Gpa(0), 4 * Page);
        second.Wire(new Gpa(0), 4 * Page);
        Assert.That(first.TryTranslate(new Gpa(0), Prot.Read, out Hpa hpa), Is.True);
        uint pfn = (uint)(hpa.Value >> 12);
        Assert.That(_arena.Frames.WireCount(pfn), Is.EqualTo(2));

        first.Dispose();
        Assert.That(_arena.Frames.WireCount(pfn), Is.EqualTo(1));
        second.Unwire(new Gpa(0), 4 * Page);
        Assert.That(_arena.Frames.WireCount(pfn), Is.Zero);
    }
}
