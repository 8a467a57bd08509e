using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;

namespace Pagoda.Tests.PageTables;

/// <summary>32-bit paging: two levels of 4-byte entries.</summary>
public sealed class WalkerLegacyTests
{
    private const ulong Root = 0x1000;
    private const ulong Pt = 0x2000;
    private const uint Entry = 7;
    private const uint Large = 0x80;
    private const uint Accessed = 1 << 5;
    private const uint Dirty = 1 << 6;
    private const int SuperpageShift = 22;
    private const ulong Smep = 1 << 20;

    private TableImage _image = null!;

    [SetUp]
    public void SetUp()
    {
        _image = new TableImage(5);
        _image.Entry32(Root, 3) = (uint)Pt | Entry;
        _image.Entry32(Pt, 0x3FF) = 0xFFFF_F000 | Entry;
    }

    [TearDown]
    public void TearDown() => _image.Dispose();

    private static WalkFormat Format(ulong cr4 = 1 << 4, ulong cr0 = 0x8001_0001, int physBits = 40) =>
        WalkFormat.ForX86(cr0, Root | 0x18, cr4, 0, physBits);

    [Test]
    public void TwoLevelsTranslate()
    {
        WalkResult r = _image.Walk(Format(), 0xFF_F123, Prot.Read, user: true);
        Assert.That(r.Outcome, Is.EqualTo(WalkOutcome.Ok));
        Assert.That(r.Hpa, Is.EqualTo(0xFFFF_F123));
        Assert.That(r.LeafShift, Is.EqualTo(Paging.PageShift));
        Assert.That(r.Granted, Is.EqualTo(Prot.ReadExecute));
        Assert.That(r.Accesses, Is.EqualTo(2));
        Assert.That(_image.Entry32(Root, 3), Is.EqualTo((uint)Pt | Entry | Accessed));
        Assert.That(_image.Entry32(Root, 2), Is.Zero, "the entry beside it");
        Assert.That(_image.Entry32(Pt, 0x3FF), Is.EqualTo(0xFFFF_F000 | Entry | Accessed));
        Assert.That(_image.Walk(Format(), 0xFF_F123, Prot.Write).Granted, Is.EqualTo(Prot.All));
        Assert.That(_image.Entry32(Pt, 0x3FF), Is.EqualTo(0xFFFF_F000 | Entry | Accessed | Dirty));
        Assert.That(r.Entries[1], Is.EqualTo(0xFFFF_F000 | Entry | Accessed));
    }

    [Test]
    public void FaultsTellTheAccess()
    {
        Assert.That(_image.Walk(Format(), 0, Prot.Write, user: true).Info, Is.EqualTo(6), "no PDE");
        Assert.That(_image.Walk(Format(), 0xC0_0000, Prot.Execute).Info, Is.Zero, "no PTE, and no I/D in this mode");
        Assert.That(_image.Walk(Format(1 << 4 | Smep), 0xC0_0000, Prot.Execute).Info, Is.EqualTo(0x10), "SMEP: I/D");
        _image.Entry32(Root, 3) = (uint)Pt | 5;
        Assert.That(_image.Walk(Format(), 0xFF_F000, Prot.Write, user: true).Info, Is.EqualTo(7));
        Assert.That(_image.Walk(Format(), 0xFF_F000, Prot.Write).Info, Is.EqualTo(3), "WP");
        Assert.That(_image.Walk(Format(cr0: 0x8000_0001), 0xFF_F000, Prot.Write).Outcome, Is.EqualTo(WalkOutcome.Ok));
        WalkResult r = _image.Walk(Format(1 << 4 | Smep), 0xFF_F000, Prot.Execute);
        Assert.That(r.Info, Is.EqualTo(0x11));
        Assert.That(r.FaultGva, Is.EqualTo(0xFF_F000));
    }

    [Test]
    public void FourMebibyteLeavesNeedPageSizeExtensions()
    {
        _image.Entry32(Root, 3) = 0x0080_0000 | Large | Entry;
        WalkResult r = _image.Walk(Format(), 0xC1_2345, Prot.Write);
        Assert.That(r.Hpa, Is.EqualTo(0x81_2345));
        Assert.That(r.LeafShift, Is.EqualTo(SuperpageShift));
        Assert.That(_image.Entry32(Root, 3), Is.EqualTo(0x0080_0000 | Large | Entry | Accessed | Dirty));
        _image.Entry32(Root, 3) = (uint)Pt | Large | Entry;
        r = _image.Walk(Format(cr4: 0), 0xFF_F123, Prot.Read);
        Assert.That(r.Hpa, Is.EqualTo(0xFFFF_F123), "without it bit 7 is ignored");
    }

    // SDM volume 3, "32-Bit Paging": bits (M-20):13 are address bits (M-1):32, the rest up to bit 21 is reserved.
    [Test]
    public void BitsBelowALargeFrameAreHighAddressBits([Values(32, 36, 40, 52)] int physBits)
    {
        int usable = physBits < 40 ? physBits - 32 : 8;
        for (int bit = 13; bit <= 21; bit++)
        {
            _image.Entry32(Root, 3) = 0x0080_0000 | Large | Entry | (1U << bit);
            WalkResult r = _image.Walk(Format(physBits: physBits), 0xC1_2345, Prot.Read, user: true);
            if (bit - 13 < usable) Assert.That(r.Hpa, Is.EqualTo(0x81_2345 | (1UL << (bit - 13 + 32))), "bit " + bit);
            else Assert.That(r.Info, Is.EqualTo(0xD), "bit " + bit);
        }
        _image.Entry32(Root, 3) = 0x0080_0000 | Large | Entry | (1U << 12);
        Assert.That(_image.Walk(Format(), 0xC1_2345, Prot.Read).Hpa, Is.EqualTo(0x81_2345), "bit 12 is PAT");
    }

    [Test]
    public void ATableOutsideIsOutside()
    {
        _image.Entry32(Root, 3) = 0x9000 | Entry;
        WalkResult r = _image.Walk(Format(), 0xC0_5000, Prot.Read);
        Assert.That(r.Outcome, Is.EqualTo(WalkOutcome.Outside));
        Assert.That(r.Hpa, Is.EqualTo(0x9000 + 5 * 4));
    }
}
