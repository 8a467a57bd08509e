using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;

namespace Pagoda.Tests.PageTables;

public sealed class PteFormatLeafTests
{
    private const ulong Bit0 = 1UL << 0, Bit7 = 1UL << 7;

    private static readonly LeafRequest s_readFault = new(Prot.All, Prot.Read);
    private static readonly LeafRequest s_writeFault = new(Prot.All, Prot.Write);

    // The worked values of a page at 0x1234000: write-back, managed, all rights.
    [TestCase("EptEmulated", 0x0030000001234475UL, 0x0030000001234477UL, 0x0030000001234C77UL)]
    [TestCase("Ept", 0x0000000001234577UL, 0x0000000001234777UL, 0x0000000001234F77UL)]
    [TestCase("Rvi", 0x0000000001234427UL, 0x0000000001234467UL, 0x0000000001234C67UL)]
    [TestCase("X86", 0x0000000001234427UL, 0x0000000001234467UL, 0x0000000001234C67UL)]
    public void ComposesTheWorkedValues(string name, ulong read, ulong written, ulong wired)
    {
        PteFormat f = Formats.ByName(name).ToFormat();
        Assert.That(0x1234000 | Bits(f, s_readFault, 1), Is.EqualTo(read));
        Assert.That(0x1234000 | Bits(f, s_writeFault, 1), Is.EqualTo(written));
        Assert.That(0x1234000 | Bits(f, new LeafRequest(Prot.All, Prot.Read, wired: true), 1), Is.EqualTo(wired));
    }

    [TestCase("EptEmulated", 0x80300000FE000043UL)]
    [TestCase("Ept", 0x80000000FE000343UL)]
    [TestCase("Rvi", 0x80000000FE00007FUL)]
    public void DeviceMemoryIsUncacheableAndDirtyFromTheStart(string name, ulong expected)
    {
        PteFormat f = Formats.ByName(name).ToFormat();
        var request = new LeafRequest(Prot.ReadWrite, Prot.Read, managed: false, uncached: true);
        Assert.That(0xFE000000 | Bits(f, request, 1), Is.EqualTo(expected));
    }

    [TestCase("EptEmulated", 0x00300000400004F7UL)]
    [TestCase("Ept", 0x00000000400007F7UL)]
    [TestCase("Rvi", 0x00000000400004E7UL)]
    public void PromotionAddsPageSizeAndDemotionTakesItAway(string name, ulong promoted)
    {
        PteFormat f = Formats.ByName(name).ToFormat();
        ulong first = 0x40000000 | Bits(f, s_writeFault, 1);
        Assert.That(f.Promoted(first), Is.EqualTo(promoted));
        Assert.That(0x40000000 | Bits(f, s_writeFault, 2), Is.EqualTo(promoted));
        Assert.That(f.Demoted(promoted | PteFormat.WindowLock, 2), Is.EqualTo(first));
        Assert.That(f.Demoted(promoted, 3), Is.EqualTo(promoted));
    }

    [Test]
    public void ThePatBitMovesBetweenLevelsWhereTheFormatHasOne()
    {
        PteFormat x86 = Formats.X86.ToFormat();
        Assert.That(x86.Promoted(0x40000000 | Bit7 | Bit0), Is.EqualTo(0x40000000 | 0x1000 | Bit7 | Bit0));
        Assert.That(x86.Demoted(0x40000000 | 0x1000 | Bit7 | Bit0, 2), Is.EqualTo(0x40000000 | Bit7 | Bit0));
        PteFormat ept = Formats.Ept.ToFormat();
        Assert.That(ept.Demoted(0x40000000 | Bit7 | Bit0, 2), Is.EqualTo(0x40000000 | Bit0));
    }

    [TestCase("X86", 0x00UL, 0x18UL)]
    [TestCase("Rvi", 0x00UL, 0x18UL)]
    [TestCase("Ept", 0x70UL, 0x40UL)]
    [TestCase("EptEmulated", 0x70UL, 0x40UL)]
    public void UncacheableMinusBecomesUncacheable(string name, ulong writeBack, ulong uncacheable)
    {
        PteFormat f = Formats.ByName(name).ToFormat();
        Assert.That(f.CacheBits(MemoryType.WriteBack), Is.EqualTo(writeBack));
        Assert.That(f.CacheBits(MemoryType.Uncacheable), Is.EqualTo(uncacheable));
        Assert.That(f.CacheBits(MemoryType.UncacheableMinus), Is.EqualTo(uncacheable));
        Assert.That(() => f.CacheBits((MemoryType)1), Throws.TypeOf<InvariantException>());
    }

    [Test]
    public void ClearingAReferenceUnderEmulationClearsMAndParksX()
    {
        PteFormat f = Formats.EptEmulated.ToFormat();
        Assert.That(f.WithoutAccessed(0x0030000001234475), Is.EqualTo(0x0070000001234470UL));
        Assert.That(f.WithoutAccessed(0x0030000001234477), Is.EqualTo(0x0070000001234470UL));
        Assert.That(f.WithAccessed(0x0070000001234470), Is.EqualTo(0x0030000001234475UL));
        Assert.That(f.WithoutAccessed(0x8030000001234473), Is.EqualTo(0x8030000001234470UL));
        Assert.That(f.WithAccessed(0x8030000001234470), Is.EqualTo(0x8030000001234471UL));
    }

    [TestCase("Ept", 0x1234777UL, 0x1234677UL)]
    [TestCase("Rvi", 0x1234467UL, 0x1234447UL)]
    public void ClearingAReferenceWithHardwareBitsClearsNothingElse(string name, ulong entry, ulong cleared)
    {
        PteFormat f = Formats.ByName(name).ToFormat();
        Assert.That(f.WithoutAccessed(entry), Is.EqualTo(cleared));
        Assert.That(f.WithAccessed(cleared), Is.EqualTo(entry));
    }

    [Test]
    public void NotAccessedLeavesGrantHardwareNothingUnderEmulation()
    {
        PteFormat f = Formats.EptEmulated.ToFormat();
        ulong ahead = Bits(f, new LeafRequest(Prot.All, Prot.None), 1);
        Assert.That(ahead & 7, Is.Zero);
        Assert.That(f.ProtOf(ahead), Is.EqualTo(Prot.All));
        Assert.That(f.IsLegalLeaf(ahead, 1), Is.True);
    }

    [Test]
    public void ExecuteOnlyNeedsItsCapabilityAndHardwareBits()
    {
        var request = new LeafRequest(Prot.Execute, Prot.Execute);
        Assert.That(Formats.EptExecOnly.ToFormat().TryLeafBits(request, 1, out ulong bits), Is.True);
        Assert.That(bits & 7, Is.EqualTo(4));
        Assert.That(Formats.EptExecOnly.ToFormat().IsValid(bits), Is.True);
        Assert.That(Formats.EptExecOnly.ToFormat().ProtOf(bits), Is.EqualTo(Prot.Execute));
        Assert.That(Formats.Ept.ToFormat().TryLeafBits(request, 1, out _), Is.False);
        Assert.That(Formats.Rvi.ToFormat().TryLeafBits(request, 1, out _), Is.False);
        PteFormat emulated = new PmapOptions { PhysBits = 46, HardwareAd = false, ExecOnly = true }.ToFormat();
        Assert.That(emulated.TryLeafBits(request, 1, out _), Is.False);
    }

    [Test]
    public void EveryRequestGivesALegalLeafOrIsRefused(
        [ValueSource(typeof(Formats), nameof(Formats.Names))] string name,
        [Values(1, 2, 3)] int level, [Values] bool wired, [Values] bool managed)
    {
        PteFormat f = Formats.ByName(name).ToFormat();
        for (int p = 0; p < 8; p++)
        {
            for (int a = 0; a < 8; a++)
            {
                var prot = (Prot)p;
                var access = (Prot)a;
                bool expressible = (prot & Prot.Read) != 0 || (prot == Prot.Execute && f.ExecOnly);
                bool allowed = wired || (access & ~prot) == 0;
                bool made = f.TryLeafBits(new LeafRequest(prot, access, wired, managed), level, out ulong bits);
                Assert.That(made, Is.EqualTo(expressible && allowed), $"{prot} {access}");
                if (!made) continue;
                Assert.That(f.IsLegalLeaf(bits | 0x40000000, level), Is.True, $"{prot} {access} {bits:x}");
                Prot expected = level > 1 && (bits & f.Modified) == 0 ? prot & ~Prot.Write : prot;
                Assert.That(f.ProtOf(bits), Is.EqualTo(expected));
                Assert.That((bits & PteFormat.WriteParked) != 0, Is.EqualTo(expected != prot));
                Assert.That(f.GrantsUnparked(bits, prot), Is.True);
                Assert.That((bits & f.Accessed) != 0, Is.EqualTo((bits & f.Modified) != 0 || wired || a != 0));
            }
        }
    }

    [TestCase("EptEmulated", 0x0030000001234476UL, 1, TestName = "hardware would see 110")]
    [TestCase("EptEmulated", 0x0030000001234474UL, 1, TestName = "hardware would see 100")]
    [TestCase("EptEmulated", 0x0070000001234475UL, 1, TestName = "parked and accessed")]
    [TestCase("EptEmulated", 0x0010000001234477UL, 1, TestName = "modified without a write right, emulated")]
    [TestCase("Ept", 0x1234775UL, 1, TestName = "modified without a write right")]
    [TestCase("Ept", 0x1234576UL, 1, TestName = "written without being read")]
    [TestCase("Ept", 0x8000000001234574UL, 1, TestName = "execute-only without the capability")]
    [TestCase("Ept", 0x400005F7UL, 2, TestName = "a writable superpage without modified")]
    [TestCase("Ept", 0x01000000400007F7UL, 2, TestName = "a write right both there and parked")]
    [TestCase("Ept", 0x0100000001234575UL, 1, TestName = "a write right parked in a page's leaf")]
    [TestCase("Ept", 0x401007F7UL, 2, TestName = "a superpage that is not aligned")]
    [TestCase("Ept", 0x40000777UL, 2, TestName = "a superpage without its bit")]
    [TestCase("Ept", 0x1234747UL | 0x10, 1, TestName = "memory type 2")]
    [TestCase("Ept", 0x8000000001234777UL, 1, TestName = "executable and not executable")]
    [TestCase("Rvi", 0x0002000001234467UL, 1, TestName = "a frame beyond the address width")]
    [TestCase("Rvi", 0UL, 1, TestName = "not valid")]
    public void RefusesIllegalLeaves(string name, ulong entry, int level) =>
        Assert.That(Formats.ByName(name).ToFormat().IsLegalLeaf(entry, level), Is.False);

    [TestCase("X86", 0x2067UL)]
    [TestCase("Rvi", 0x2067UL)]
    [TestCase("Ept", 0x2307UL)]
    [TestCase("EptEmulated", 0x0030000000002007UL)]
    public void EntriesOfTablesGrantEverything(string name, ulong expected) =>
        Assert.That(Formats.ByName(name).ToFormat().TableEntry(0x2000), Is.EqualTo(expected));

    private static ulong Bits(in PteFormat format, in LeafRequest request, int level)
    {
        Assert.That(format.TryLeafBits(request, level, out ulong bits), Is.True);
        return bits;
    }
}
