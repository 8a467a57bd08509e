using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;

namespace Pagoda.Tests.PageTables;

/// <summary>x86 and nested tables where the recorded vectors are silent: PAE, widths, what is granted.</summary>
public sealed class WalkerX86Tests
{
    private const ulong Root = 0x1000;
    private const ulong Pdpt = 0x2000;
    private const ulong Pd = 0x3000;
    private const ulong Pt = 0x4000;
    private const ulong Entry = 7;
    private const ulong Large = 0x80;
    private const ulong NoExecute = 1UL << 63;
    private const ulong Accessed = 1 << 5;
    private const ulong Dirty = 1 << 6;
    private const ulong PaePdpte = 1;
    private const ulong PagingOn = 0x8001_0001;
    private const ulong Pae = 1 << 5;
    private const ulong Nxe = 1 << 11;

    private TableImage _image = null!;

    [SetUp]
    public void SetUp()
    {
        _image = new TableImage(8);
        _image.Entry(Root, 0) = Pdpt | Entry;
        _image.Entry(Pdpt, 0) = Pd | Entry;
        _image.Entry(Pd, 0) = Pt | Entry;
        _image.Entry(Pt, 5) = 0x7000 | Entry;
    }

    [TearDown]
    public void TearDown() => _image.Dispose();

    private static WalkFormat Long(int physBits = 40, ulong cr4 = 0) =>
        WalkFormat.ForX86(PagingOn, Root, Pae | cr4, 0xD00, physBits);

    // A PAE root is 32 bytes aligned, not a page: the third quarter-kilobyte here.
    private WalkFormat PaeFormat(ulong pdpte = Pd | PaePdpte, ulong efer = Nxe, int physBits = 40)
    {
        _image.Entry(Root + 0x320, 0) = pdpte;
        _image.Entry(Root + 0x320, 3) = pdpte;
        return WalkFormat.ForX86(PagingOn, Root + 0x320, Pae, efer, physBits);
    }

    [Test]
    public void AddressBitsFromThePhysicalWidthUpAreReserved([Values(36, 46, 52)] int physBits, [Values] bool isNpt)
    {
        WalkFormat format = isNpt ? WalkFormat.ForNpt(Root, physBits) : Long(physBits);
        for (int bit = 30; bit < 52; bit++)
        {
            _image.Entry(Pt, 5) = 0x7000 | Entry | (1UL << bit);
            WalkResult r = _image.Walk(format, 0x5000, Prot.Read, user: true);
            if (bit < physBits)
            {
                Assert.That(r.Hpa, Is.EqualTo(0x7000 | (1UL << bit)));
                continue;
            }
            Assert.That(r.Outcome, Is.EqualTo(isNpt ? WalkOutcome.NestedFault : WalkOutcome.PageFault), "bit " + bit);
            Assert.That(r.Info, Is.EqualTo((isNpt ? 1UL << 32 : 0) | 0xD));
        }
    }

    [Test]
    public void BitEightOfAnUpperNestedEntryIsReserved()
    {
        WalkFormat format = WalkFormat.ForNpt(Root, 40);
        const ulong bit8 = 1 << 8;
        _image.Entry(Pt, 5) |= bit8;
        _image.Entry(Pd, 0) |= bit8;
        Assert.That(_image.Walk(format, 0x5000, Prot.Read).Outcome, Is.EqualTo(WalkOutcome.Ok), "PTE and PDE");
        _image.Entry(Pdpt, 1) = Large | Entry | bit8;
        Assert.That(_image.Walk(format, 1UL << 30, Prot.Read).Outcome, Is.EqualTo(WalkOutcome.Ok), "a 1 GiB leaf");
        _image.Entry(Pdpt, 0) |= bit8;
        Assert.That(_image.Walk(format, 0x5000, Prot.Read).Info, Is.EqualTo((1UL << 32) | 0xD), "PDPTE");
        Assert.That(_image.Walk(Long(), 0x5000, Prot.Read).Outcome, Is.EqualTo(WalkOutcome.Ok), "x86: ignored");
    }

    [Test]
    public void NestedAddressesBeyondTheTablesAreNotPresent()
    {
        WalkResult r = _image.Walk(WalkFormat.ForNpt(Root, 52), (1UL << 48) | 0x5000, Prot.Write);
        Assert.That(r.Outcome, Is.EqualTo(WalkOutcome.NestedFault));
        Assert.That(r.Info, Is.EqualTo((1UL << 32) | 6));
        Assert.That(r.FaultGpa, Is.EqualTo((1UL << 48) | 0x5000));
    }

    [Test]
    public void AddressesMustBeCanonical()
    {
        Assert.That(_image.Walk(Long(), 1UL << 47, Prot.Read).Outcome, Is.EqualTo(WalkOutcome.GeneralProtection));
        _image.Entry(0x5000, 0) = Root | Entry;
        WalkFormat five = WalkFormat.ForX86(PagingOn, 0x5000, Pae | (1 << 12), 0xD00, 40);
        Assert.That(_image.Walk(five, 1UL << 47, Prot.Read).Outcome, Is.EqualTo(WalkOutcome.PageFault));
        Assert.That(_image.Walk(five, 1UL << 56, Prot.Read).Outcome, Is.EqualTo(WalkOutcome.GeneralProtection));
        Assert.That(_image.Walk(five, 0x5678, Prot.Read).Hpa, Is.EqualTo(0x7678));
    }

    [Test]
    public void GrantedIsWhatTheNextAccessMayDo()
    {
        WalkResult r = _image.Walk(Long(), 0x5000, Prot.Read, user: true);
        Assert.That(r.Granted, Is.EqualTo(Prot.ReadExecute), "the dirty bit is to be set");
        Assert.That(_image.Entry(Pt, 5), Is.EqualTo(0x7000 | Entry | Accessed));
        Assert.That(_image.Walk(Long(), 0x5000, Prot.Write, user: true).Granted, Is.EqualTo(Prot.All));
        Assert.That(_image.Entry(Pt, 5), Is.EqualTo(0x7000 | Entry | Accessed | Dirty));
        _image.Entry(Pt, 5) |= NoExecute;
        Assert.That(_image.Walk(Long(), 0x5000, Prot.Read).Granted, Is.EqualTo(Prot.ReadWrite));
        _image.Entry(Pt, 5) = 0x7000 | 1 | Dirty;
        Assert.That(_image.Walk(Long(), 0x5000, Prot.Read).Granted, Is.EqualTo(Prot.ReadExecute), "WP");
        WalkFormat withoutWp = WalkFormat.ForX86(0x8000_0001, Root, Pae, 0xD00, 40);
        Assert.That(_image.Walk(withoutWp, 0x5000, Prot.Read).Granted, Is.EqualTo(Prot.All), "no WP");
    }

    [Test]
    public void SupervisorsKeepOffUserPagesUnderSmepAndSmap()
    {
        WalkFormat format = Long(cr4: (1 << 20) | (1 << 21));
        WalkResult r = _image.Walk(format, 0x5000, Prot.Read);
        Assert.That(r.Outcome, Is.EqualTo(WalkOutcome.PageFault));
        Assert.That(r.Info, Is.EqualTo(1));
        r = _image.Walk(format, 0x5000, Prot.Execute);
        Assert.That(r.Info, Is.EqualTo(0x11));
        r = _image.Walk(format.WithAlignmentCheck(true), 0x5000, Prot.Write);
        Assert.That(r.Outcome, Is.EqualTo(WalkOutcome.Ok));
        Assert.That(r.Granted, Is.EqualTo(Prot.ReadWrite), "SMEP stays");
        Assert.That(_image.Walk(format, 0x5000, Prot.Execute, user: true).Outcome, Is.EqualTo(WalkOutcome.Ok));
    }

    [Test]
    public void PaeTranslatesThroughItsFourPdptes()
    {
        WalkFormat format = PaeFormat();
        WalkResult r = _image.Walk(format, 0xC000_5123, Prot.Write, user: true);
        Assert.That(r.Outcome, Is.EqualTo(WalkOutcome.Ok));
        Assert.That(r.Hpa, Is.EqualTo(0x7123));
        Assert.That(r.Accesses, Is.EqualTo(3));
        Assert.That(_image.Entry(Root + 0x320, 3), Is.EqualTo(Pd | PaePdpte), "a PDPTE has no accessed bit");
        Assert.That(_image.Entry(Pd, 0), Is.EqualTo(Pt | Entry | Accessed));
        Assert.That(_image.Entry(Pt, 5), Is.EqualTo(0x7000 | Entry | Accessed | Dirty));
        r = _image.Walk(format, 0x4000_5123, Prot.Write, user: true);
        Assert.That(r.Info, Is.EqualTo(6), "the second PDPTE is not present");
        Assert.That(r.FaultGva, Is.EqualTo(0x4000_5123));
        Assert.That(_image.Walk(format, 0x1_0000_5123, Prot.Read).Hpa, Is.EqualTo(0x7123), "cut to 32 bits");
    }

    [Test]
    public void PaeHasTwoMebibyteLeavesAndNoExecute()
    {
        WalkFormat format = PaeFormat();
        _image.Entry(Pd, 9) = 0x40_0000 | Large | Entry | NoExecute | (1 << 12);
        WalkResult r = _image.Walk(format, (9UL << 21) | 0x12345, Prot.Read, user: true);
        Assert.That(r.Hpa, Is.EqualTo(0x41_2345), "bit 12 is PAT");
        Assert.That(r.LeafShift, Is.EqualTo(Paging.WindowShift));
        Assert.That(_image.Walk(format, 9UL << 21, Prot.Execute, user: true).Info, Is.EqualTo(0x15));
        WalkFormat without = PaeFormat(efer: 0);
        r = _image.Walk(without, 9UL << 21, Prot.Execute, user: true);
        Assert.That(r.Info, Is.EqualTo(0xD), "reserved, no I/D");
    }

    // SDM volume 3, "PAE Paging".
    [Test]
    public void PaeReservesMoreBitsThanLongMode()
    {
        foreach (int bit in (int[])[1, 2, 5, 6, 7, 8, 40, 51, 52, 62, 63])
        {
            WalkResult r = _image.Walk(PaeFormat(Pd | PaePdpte | (1UL << bit)), 0x5000, Prot.Read, user: true);
            Assert.That(r.Info, Is.EqualTo(0xD), "PDPTE bit " + bit);
        }
        foreach (int bit in (int[])[3, 4, 9, 11])
        {
            WalkResult r = _image.Walk(PaeFormat(Pd | PaePdpte | (1UL << bit)), 0x5000, Prot.Read, user: true);
            Assert.That(r.Outcome, Is.EqualTo(WalkOutcome.Ok), "PDPTE bit " + bit);
        }
        WalkFormat format = PaeFormat();
        for (int bit = 40; bit < 63; bit++)
        {
            _image.Entry(Pt, 5) = 0x7000 | Entry | (1UL << bit);
            Assert.That(_image.Walk(format, 0x5000, Prot.Read, user: true).Info, Is.EqualTo(0xD), "PTE bit " + bit);
        }
        for (int bit = 52; bit < 63; bit++)
        {
            _image.Entry(Pt, 5) = 0x7000 | Entry | (1UL << bit);
            Assert.That(_image.Walk(Long(), 0x5000, Prot.Read, user: true).Outcome, Is.EqualTo(WalkOutcome.Ok));
        }
    }
}
