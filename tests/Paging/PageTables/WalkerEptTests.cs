using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;

namespace Pagoda.Tests.PageTables;

/// <summary>EPT where the recorded vectors have nothing to say.</summary>
public sealed class WalkerEptTests
{
    private const ulong Root = 0x1000;
    private const ulong Pdpt = 0x2000;
    private const ulong Pd = 0x3000;
    private const ulong Pt = 0x4000;
    private const ulong Table = 7;
    private const ulong Leaf = 0x37;
    private const ulong Large = 0x80;
    private const ulong Accessed = 1 << 8;
    private const ulong Dirty = 1 << 9;

    private TableImage _image = null!;

    [SetUp]
    public void SetUp()
    {
        _image = new TableImage(8);
        _image.Entry(Root, 0) = Pdpt | Table;
        _image.Entry(Pdpt, 0) = Pd | Table;
        _image.Entry(Pd, 0) = Pt | Table;
    }

    [TearDown]
    public void TearDown() => _image.Dispose();

    private static WalkFormat Format(int physBits = 40, bool accessedDirty = false) =>
        WalkFormat.ForEpt(Root | 0x1E | (accessedDirty ? 0x40UL : 0), physBits);

    // SDM volume 3, "Format of an EPT Page-Directory Entry that Maps a 2-MByte Page": bits 20:12 are reserved.
    [Test]
    public void EveryAddressBitBelowALargeFrameIsReserved()
    {
        for (int bit = 12; bit < Paging.GigapageShift; bit++)
        {
            _image.Entry(Pdpt, 1) = Large | Leaf | (1UL << bit);
            WalkResult r = _image.Walk(Format(), 1UL << 30, Prot.Read);
            Assert.That(r.Outcome, Is.EqualTo(WalkOutcome.Misconfiguration), "1 GiB, bit " + bit);
            if (bit >= Paging.WindowShift) continue;
            _image.Entry(Pd, 1) = Large | Leaf | (1UL << bit);
            r = _image.Walk(Format(), 1UL << 21, Prot.Read);
            Assert.That(r.Outcome, Is.EqualTo(WalkOutcome.Misconfiguration), "2 MiB, bit " + bit);
            Assert.That(r.FaultGpa, Is.EqualTo(1UL << 21));
            Assert.That(r.Info, Is.Zero);
        }
    }

    [Test]
    public void AddressBitsFromThePhysicalWidthUpAreReserved([Values(36, 46, 52)] int physBits, [Values] bool isTable)
    {
        for (int bit = 30; bit < 52; bit++)
        {
            _image.Entry(Pd, 0) = Pt | Table | (isTable ? 1UL << bit : 0);
            _image.Entry(Pt, 5) = 0x7000 | Leaf | (isTable ? 0 : 1UL << bit);
            WalkResult r = _image.Walk(Format(physBits), 0x5000, Prot.Read);
            WalkOutcome inside = isTable ? WalkOutcome.Outside : WalkOutcome.Ok;
            WalkOutcome expected = bit < physBits ? inside : WalkOutcome.Misconfiguration;
            Assert.That(r.Outcome, Is.EqualTo(expected), "bit " + bit);
            if (expected == WalkOutcome.Ok) Assert.That(r.Hpa, Is.EqualTo(0x7000 | (1UL << bit)));
        }
    }

    [Test]
    public void IgnoredBitsOfALeafAreIgnored()
    {
        for (int bit = 52; bit < 64; bit++)
        {
            _image.Entry(Pt, 5) = 0x7000 | Leaf | (1UL << bit);
            Assert.That(_image.Walk(Format(), 0x5000, Prot.All).Outcome, Is.EqualTo(WalkOutcome.Ok), "bit " + bit);
        }
    }

    [Test]
    public void ExecuteOnlyIsLegalWithTheCapabilityAlone()
    {
        _image.Entry(Pt, 5) = 0x7000 | 4 | 0x30;
        WalkFormat without = WalkFormat.ForEpt(Root | 0x1E, 40, execOnly: false);
        Assert.That(_image.Walk(without, 0x5000, Prot.Execute).Outcome, Is.EqualTo(WalkOutcome.Misconfiguration));
        WalkResult r = _image.Walk(Format(), 0x5000, Prot.Execute);
        Assert.That(r.Outcome, Is.EqualTo(WalkOutcome.Ok));
        Assert.That(r.Granted, Is.EqualTo(Prot.Execute));
        r = _image.Walk(Format(), 0x5000, Prot.Read);
        Assert.That(r.Outcome, Is.EqualTo(WalkOutcome.Violation));
        Assert.That(r.Info, Is.EqualTo(0x180 | 1 | (4 << 3)));
    }

    [Test]
    public void LeavesThatTheProcessorLacksAreMisconfigured()
    {
        _image.Entry(Pdpt, 1) = Large | Leaf;
        _image.Entry(Pd, 1) = Large | Leaf;
        WalkFormat none = WalkFormat.ForEpt(Root | 0x1E, 40, superpages: false, gigapages: false);
        Assert.That(_image.Walk(none, 1UL << 30, Prot.Read).Outcome, Is.EqualTo(WalkOutcome.Misconfiguration));
        Assert.That(_image.Walk(none, 1UL << 21, Prot.Read).Outcome, Is.EqualTo(WalkOutcome.Misconfiguration));
        Assert.That(_image.Walk(Format(), 1UL << 30, Prot.Read).LeafShift, Is.EqualTo(Paging.GigapageShift));
        Assert.That(_image.Walk(Format(), 1UL << 21, Prot.Read).LeafShift, Is.EqualTo(Paging.WindowShift));
    }

    // SDM volume 3, "EPT Violations": beyond the reach of the tables, with no rights in the qualification.
    [Test]
    public void AddressesBeyondTheTablesAreViolations()
    {
        WalkResult r = _image.Walk(Format(52), 1UL << 48, Prot.Write);
        Assert.That(r.Outcome, Is.EqualTo(WalkOutcome.Violation));
        Assert.That(r.Info, Is.EqualTo(0x182));
        Assert.That(r.Accesses, Is.Zero);
    }

    [Test]
    public void FiveLevelsReachFiftySevenBits()
    {
        _image.Entry(0x5000, 1) = Root | Table;
        _image.Entry(Pt, 3) = 0x7000 | Leaf;
        WalkFormat format = WalkFormat.ForEpt(0x5000 | 0x66, 52);
        WalkResult r = _image.Walk(format, (1UL << 48) | 0x3456, Prot.Read);
        Assert.That(r.Outcome, Is.EqualTo(WalkOutcome.Ok));
        Assert.That(r.Hpa, Is.EqualTo(0x7456));
        Assert.That(r.Accesses, Is.EqualTo(5));
        _image.Entry(0x5000, 1) |= Large;
        r = _image.Walk(format, (1UL << 48) | 0x3456, Prot.Read);
        Assert.That(r.Outcome, Is.EqualTo(WalkOutcome.Misconfiguration), "bit 7 of a PML5E");
    }

    [Test]
    public void GrantedHasWriteOnlyOnceDirtyIsSet()
    {
        _image.Entry(Pt, 5) = 0x7000 | Leaf;
        Assert.That(_image.Walk(Format(), 0x5000, Prot.Read).Granted, Is.EqualTo(Prot.All), "no dirty bit to set");
        WalkFormat format = Format(accessedDirty: true);
        Assert.That(_image.Walk(format, 0x5000, Prot.Read).Granted, Is.EqualTo(Prot.ReadExecute));
        Assert.That(_image.Entry(Pt, 5), Is.EqualTo(0x7000 | Leaf | Accessed));
        Assert.That(_image.Walk(format, 0x5000, Prot.Write).Granted, Is.EqualTo(Prot.All));
        Assert.That(_image.Entry(Pt, 5), Is.EqualTo(0x7000 | Leaf | Accessed | Dirty));
        Assert.That(_image.Walk(format, 0x5000, Prot.Read).Granted, Is.EqualTo(Prot.All));
    }

    // Emulated accessed and dirty bits live in R and W: the walker sees what hardware sees.
    [Test]
    public void AnEmulatedLeafIsWhatItsRightsSay()
    {
        const ulong valid = 1UL << 52;
        const ulong writable = 1UL << 53;
        const ulong parked = 1UL << 54;
        const ulong rest = 0x470 | valid | writable;
        _image.Entry(Pt, 5) = 0x7000 | rest | parked;
        WalkResult r = _image.Walk(Format(), 0x5000, Prot.Execute);
        Assert.That(r.Outcome, Is.EqualTo(WalkOutcome.Violation), "not accessed: nothing for the hardware");
        Assert.That(r.Info, Is.EqualTo(0x184));
        _image.Entry(Pt, 5) = 0x7000 | rest | 5;
        r = _image.Walk(Format(), 0x5000, Prot.Write);
        Assert.That(r.Info, Is.EqualTo(0x182 | (5 << 3)), "accessed, not dirty");
        Assert.That(_image.Walk(Format(), 0x5000, Prot.Execute).Granted, Is.EqualTo(Prot.ReadExecute));
        Assert.That(_image.Entry(Pt, 5), Is.EqualTo(0x7000 | rest | 5), "no bit is set by hardware");
    }

    [Test]
    public void AnEntryThatServesTwoLevelsIsSetOnce()
    {
        ulong self = Root | Table;
        _image.Entry(Root, 0) = self;
        WalkResult r = _image.Walk(Format(accessedDirty: true), 0x10, Prot.Write);
        Assert.That(r.Outcome, Is.EqualTo(WalkOutcome.Ok), "type UC is legal");
        Assert.That(_image.Entry(Root, 0), Is.EqualTo(self | Accessed | Dirty));
        Assert.That(r.Hpa, Is.EqualTo(Root | 0x10));
        Assert.That(r.Accesses, Is.EqualTo(4), "the walk did not start again");
    }
}
