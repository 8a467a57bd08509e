using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;

namespace Pagoda.Tests.PageTables;

/// <summary>The walker on both dimensions together, with hand-made tables.</summary>
/// <remarks>
/// Host frame 1 is the nested root, 2 to 4 lead to one nested PT at frame 4, which maps the guest's pages 0 to 15 to
/// host frames 16 to 31. The guest's root is its page 1, 2 to 4 lead to a PT at page 4.
/// </remarks>
public sealed unsafe class WalkerTests
{
    private const ulong Page = Paging.PageBytes;
    private const ulong GuestPages = 16;
    private const ulong FirstHostFrame = 16;
    private const ulong EptRoot = Page;
    private const ulong NestedPt = 4 * Page;
    private const ulong GuestRoot = Page;
    private const ulong GuestPt = 4 * Page;
    private const ulong EptTable = 7;
    private const ulong EptLeaf = 0x37;
    private const ulong X86Entry = 7;
    private const ulong EptA = 1 << 8;
    private const ulong EptD = 1 << 9;
    private const ulong X86A = 1 << 5;
    private const ulong X86D = 1 << 6;
    private const int PhysBits = 40;

    private TableImage _image = null!;

    [SetUp]
    public void SetUp() => _image = new TableImage(32);

    [TearDown]
    public void TearDown() => _image.Dispose();

    private static ulong Host(ulong gpa) => gpa + FirstHostFrame * Page;

    private WalkFormat Ept(bool accessedDirty)
    {
        Link(EptTable, EptLeaf);
        return WalkFormat.ForEpt(EptRoot | 0x1E | (accessedDirty ? 0x40UL : 0), PhysBits);
    }

    private WalkFormat Npt()
    {
        Link(X86Entry, X86Entry);
        return WalkFormat.ForNpt(EptRoot, PhysBits);
    }

    private void Link(ulong table, ulong leaf)
    {
        for (ulong level = 1; level < 4; level++) _image.Entry(level * Page, 0) = ((level + 1) * Page) | table;
        for (ulong i = 0; i < GuestPages; i++) _image.Entry(NestedPt, i) = ((FirstHostFrame + i) * Page) | leaf;
    }

    private WalkFormat Guest(ulong cr4 = 0x20, ulong efer = 0xD00)
    {
        for (ulong level = 1; level < 4; level++)
        {
            _image.Entry(Host(level * Page), 0) = ((level + 1) * Page) | X86Entry;
        }
        for (ulong i = 0; i < GuestPages; i++) _image.Entry(Host(GuestPt), i) = (i * Page) | X86Entry;
        return WalkFormat.ForX86(0x8001_0001, GuestRoot, cr4, efer, PhysBits);
    }

    [Test]
    public void TwoDimensionalWalkReadsTwentyFourEntries([Values] bool isEpt)
    {
        WalkFormat nested = isEpt ? Ept(accessedDirty: true) : Npt();
        WalkResult r = _image.Walk2D(nested, Guest(), 0x5123, Prot.Read);
        Assert.That(r.Outcome, Is.EqualTo(WalkOutcome.Ok));
        Assert.That(r.Accesses, Is.EqualTo(24));
        Assert.That(r.Hpa, Is.EqualTo(Host(0x5123)));
        Assert.That(r.LeafShift, Is.EqualTo(Paging.PageShift));
        Assert.That(r.Granted, Is.EqualTo(Prot.ReadExecute), "the dirty bits are still to be set");
        Assert.That(r.EntryCount, Is.EqualTo(4));
        Assert.That(r.Entries[3], Is.EqualTo(0x5000 | X86Entry | X86A));
        Assert.That(r.Addresses[3], Is.EqualTo(Host(GuestPt) + 5 * 8));
    }

    [Test]
    public void WriteSetsDirtyInBothDimensions()
    {
        WalkResult r = _image.Walk2D(Ept(accessedDirty: true), Guest(), 0x5123, Prot.Write);
        Assert.That(r.Granted, Is.EqualTo(Prot.All));
        Assert.That(_image.Entry(Host(GuestPt), 5), Is.EqualTo(0x5000 | X86Entry | X86A | X86D));
        Assert.That(_image.Entry(NestedPt, 5), Is.EqualTo(Host(0x5000) | EptLeaf | EptA | EptD));
        Assert.That(_image.Entry(NestedPt, 6), Is.EqualTo(Host(0x6000) | EptLeaf), "a page not used");
        Assert.That(_image.Entry(NestedPt, 4), Is.EqualTo(Host(0x4000) | EptLeaf | EptA | EptD), "the guest's PT");
    }

    [Test]
    public void GuestTableAccessCountsAsWriteWithEptFlagsOn()
    {
        WalkFormat nested = Ept(accessedDirty: true);
        _image.Entry(NestedPt, 3) &= ~2UL;
        WalkResult r = _image.Walk2D(nested, Guest(), 0x5123, Prot.Read);
        Assert.That(r.Outcome, Is.EqualTo(WalkOutcome.Violation));
        Assert.That(r.Info, Is.EqualTo(0x80 | 3 | (5 << 3)));
        Assert.That(r.FaultGpa, Is.EqualTo(0x3000));
        Assert.That(r.FaultGva, Is.EqualTo(0x5123));
        Assert.That(r.EntryCount, Is.EqualTo(2));
    }

    [Test]
    public void SettingAGuestBitNeedsWriteRightWithEptFlagsOff()
    {
        WalkFormat nested = Ept(accessedDirty: false);
        WalkFormat guest = Guest();
        _image.Entry(NestedPt, 3) &= ~2UL;
        WalkResult r = _image.Walk2D(nested, guest, 0x5123, Prot.Read);
        Assert.That(r.Outcome, Is.EqualTo(WalkOutcome.Violation));
        Assert.That(r.Info, Is.EqualTo(0x80 | 3 | (5 << 3)));
        Assert.That(r.FaultGpa, Is.EqualTo(0x3000), "the page, with the offset of entry 0");

        _image.Entry(Host(3 * Page), 0) |= X86A;
        r = _image.Walk2D(nested, guest, 0x5123, Prot.Read);
        Assert.That(r.Outcome, Is.EqualTo(WalkOutcome.Ok), "a bit that is set needs no write");
        Assert.That(_image.Entry(Host(GuestPt), 5) & X86A, Is.Not.Zero);
    }

    [Test]
    public void NestedPageFaultOfAGuestTableIsAUserWrite()
    {
        WalkFormat nested = Npt();
        _image.Entry(NestedPt, 3) = 0;
        WalkResult r = _image.Walk2D(nested, Guest(), 0x5123, Prot.Execute);
        Assert.That(r.Outcome, Is.EqualTo(WalkOutcome.NestedFault));
        Assert.That(r.Info, Is.EqualTo((1UL << 33) | 6));
        Assert.That(r.FaultGpa, Is.EqualTo(0x3000));
    }

    [Test]
    public void NestedPageFaultOfTheFinalAddressTellsTheAccess()
    {
        WalkFormat nested = Npt();
        _image.Entry(NestedPt, 5) = 0;
        WalkResult r = _image.Walk2D(nested, Guest(), 0x5123, Prot.Execute);
        Assert.That(r.Info, Is.EqualTo((1UL << 32) | 0x14));
        Assert.That(r.FaultGpa, Is.EqualTo(0x5123));
    }

    [Test]
    public void GuestFaultComesBeforeTheFinalNestedOne()
    {
        WalkFormat nested = Ept(accessedDirty: true);
        WalkFormat guest = Guest();
        _image.Entry(NestedPt, 5) = 0;
        _image.Entry(Host(GuestPt), 5) &= ~2UL;
        WalkResult r = _image.Walk2D(nested, guest, 0x5123, Prot.Write, user: true);
        Assert.That(r.Outcome, Is.EqualTo(WalkOutcome.PageFault));
        Assert.That(r.Info, Is.EqualTo(7));
        Assert.That(r.FaultGva, Is.EqualTo(0x5123));
        Assert.That(_image.Entry(Host(GuestPt), 5) & X86A, Is.Zero, "a faulting walk sets nothing of the guest's");
    }

    [Test]
    public void LeafSizeIsTheSmallerOfBoth()
    {
        WalkFormat nested = Ept(accessedDirty: true);
        WalkFormat guest = Guest();
        _image.Entry(Host(3 * Page), 0) = 0x80 | X86Entry;
        WalkResult r = _image.Walk2D(nested, guest, 0x5123, Prot.Read);
        Assert.That(r.LeafShift, Is.EqualTo(Paging.PageShift));
        _image.Entry(3 * Page, 0) = 0x80 | EptLeaf;
        _image.Entry(0, 0) = 0;
        nested = WalkFormat.ForEpt(EptRoot | 0x1E, PhysBits);
        r = _image.Walk2D(nested, WalkFormat.ForX86(0, 0, 0, 0, PhysBits), 0x1_0000_5123, Prot.Read);
        Assert.That(r.Hpa, Is.EqualTo(0x5123), "an unpaged address is cut to 32 bits");
        Assert.That(r.LeafShift, Is.EqualTo(Paging.WindowShift));
    }

    [Test]
    public void ReadOnlyMemoryKeepsItsBitsAndReportsThem()
    {
        WalkFormat nested = Ept(accessedDirty: true);
        WalkFormat guest = Guest();
        ImageMemory memory = _image.ReadOnly;
        Walker.Walk2D(ref memory, in nested, in guest, 0x5123, Prot.Write, false, out WalkResult r, out ulong gpa);
        Assert.That(gpa, Is.EqualTo(0x5123));
        Assert.That(r.Entries[3], Is.EqualTo(0x5000 | X86Entry | X86A | X86D));
        Assert.That(_image.Entry(Host(GuestPt), 5), Is.EqualTo(0x5000 | X86Entry));
        Assert.That(_image.Entry(NestedPt, 5), Is.EqualTo(Host(0x5000) | EptLeaf));
    }

    // What another thread does between the check of an entry and the setting of its bits.
    [Test]
    public void AnEntryThatIsTakenAwayMeanwhileStaysAway([Values] bool isGuests)
    {
        WalkFormat nested = Ept(accessedDirty: true);
        WalkFormat guest = Guest();
        ulong entryHpa = isGuests ? Host(GuestPt) + 5 * 8 : NestedPt + 5 * 8;
        WalkResult r = WalkWithRace(in nested, in guest, entryHpa, 0);
        Assert.That(r.Outcome, Is.EqualTo(isGuests ? WalkOutcome.PageFault : WalkOutcome.Violation));
        Assert.That(r.Info, Is.EqualTo(isGuests ? 2 : 0x182));
        Assert.That(_image.Entry(entryHpa, 0), Is.Zero, "the walk brought nothing back");
    }

    [Test]
    public void AnEntryThatIsReplacedMeanwhileIsWalkedAnew()
    {
        WalkFormat nested = Ept(accessedDirty: true);
        WalkFormat guest = Guest();
        WalkResult r = WalkWithRace(in nested, in guest, Host(GuestPt) + 5 * 8, 0x6000 | X86Entry);
        Assert.That(r.Outcome, Is.EqualTo(WalkOutcome.Ok));
        Assert.That(r.Hpa, Is.EqualTo(Host(0x6123)));
        Assert.That(_image.Entry(Host(GuestPt), 5), Is.EqualTo(0x6000 | X86Entry | X86A | X86D));
        Assert.That(_image.Entry(NestedPt, 5), Is.EqualTo(Host(0x5000) | EptLeaf), "the old page is untouched");
    }

    [Test]
    public void AnotherWalkThatSetsTheSameBitsChangesNothing()
    {
        WalkFormat nested = Ept(accessedDirty: true);
        WalkFormat guest = Guest();
        WalkResult r = WalkWithRace(in nested, in guest, NestedPt + 5 * 8, Host(0x5000) | EptLeaf | EptA);
        Assert.That(r.Outcome, Is.EqualTo(WalkOutcome.Ok));
        Assert.That(r.Accesses, Is.EqualTo(24));
        Assert.That(_image.Entry(NestedPt, 5), Is.EqualTo(Host(0x5000) | EptLeaf | EptA | EptD));
    }

    private WalkResult WalkWithRace(in WalkFormat nested, in WalkFormat guest, ulong entryHpa, ulong replacement)
    {
        int mapped = 0;
        var memory = new RacingMemory(_image.Memory, entryHpa, replacement, &mapped);
        Walker.Walk2D(ref memory, in nested, in guest, 0x5123, Prot.Write, false, out WalkResult r, out _);
        Assert.That(mapped, Is.AtLeast(2), "the entry was read, and found again to set its bits");
        return r;
    }

    /// <summary>Replaces an entry when it is looked for again: after its check, before its bits are set.</summary>
    private readonly struct RacingMemory(ImageMemory memory, ulong entryHpa, ulong replacement, int* mapped)
        : IPhysicalMemory
    {
        public bool IsReadOnly => false;

        public bool TryMap(ulong hpa, int bytes, out byte* pointer)
        {
            bool isMapped = memory.TryMap(hpa, bytes, out pointer);
            if (hpa == entryHpa && ++*mapped == 2) *(ulong*)pointer = replacement;
            return isMapped;
        }
    }
}
