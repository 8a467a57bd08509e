using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;

namespace Pagoda.Tests.PageTables;

/// <summary>Guests whose tables are not long mode's, behind nested tables that map each page to itself.</summary>
public sealed class WalkerTablesTests
{
    private const ulong EptRoot = 0x1000;
    private const ulong EptPt = 0x4000;
    private const ulong GuestRoot = 0x8000;
    private const ulong GuestPd = 0x9000;
    private const ulong GuestPt = 0xA000;
    private const ulong Pages = 16;
    private const ulong EptDirty = 1 << 9;
    private const ulong EptWrite = 2;
    private const ulong X86Accessed = 1 << 5;
    private const ulong PagingOn = 0x8001_0001;

    private TableImage _image = null!;

    [SetUp]
    public void SetUp()
    {
        _image = new TableImage((int)Pages);
        for (ulong table = EptRoot; table < EptPt; table += 0x1000) _image.Entry(table, 0) = (table + 0x1000) | 7;
        for (ulong i = 0; i < Pages; i++) _image.Entry(EptPt, i) = (i << 12) | 0x37;
    }

    [TearDown]
    public void TearDown() => _image.Dispose();

    private static WalkFormat Ept(bool accessedDirty) =>
        WalkFormat.ForEpt(EptRoot | (accessedDirty ? 0x5EUL : 0x1E), 40);

    private WalkFormat LegacyGuest()
    {
        _image.Entry32(GuestRoot, 1) = (uint)GuestPt | 7;
        _image.Entry32(GuestPt, 2) = 0xB007;
        return WalkFormat.ForX86(PagingOn, GuestRoot, 1 << 4, 0, 40);
    }

    private WalkFormat PaeGuest()
    {
        _image.Entry(GuestRoot, 1) = GuestPd | 1;
        _image.Entry(GuestPd, 0) = GuestPt | 7;
        _image.Entry(GuestPt, 2) = 0xB007;
        return WalkFormat.ForX86(PagingOn, GuestRoot, 1 << 5, 0, 40);
    }

    [Test]
    public void ALegacyGuestReadsFourteenEntries()
    {
        WalkResult r = _image.Walk2D(Ept(accessedDirty: true), LegacyGuest(), 0x40_2123, Prot.Write);
        Assert.That(r.Outcome, Is.EqualTo(WalkOutcome.Ok));
        Assert.That(r.Hpa, Is.EqualTo(0xB123));
        Assert.That(r.Accesses, Is.EqualTo(2 * 5 + 4));
        Assert.That(_image.Entry32(GuestPt, 2), Is.EqualTo(0xB067));
        Assert.That(_image.Entry(EptPt, GuestPt >> 12) & EptDirty, Is.Not.Zero);
    }

    // SDM volume 3, "Accessed and Dirty Flags for EPT": loads of PDPTEs are not writes.
    [Test]
    public void APaeGuestsPdpteIsReadWithoutAWrite()
    {
        WalkFormat guest = PaeGuest();
        _image.Entry(EptPt, GuestRoot >> 12) &= ~EptWrite;
        WalkResult r = _image.Walk2D(Ept(accessedDirty: true), guest, 0x4000_2123, Prot.Read);
        Assert.That(r.Outcome, Is.EqualTo(WalkOutcome.Ok));
        Assert.That(r.Hpa, Is.EqualTo(0xB123));
        Assert.That(r.Accesses, Is.EqualTo(3 * 5 + 4));
        Assert.That(_image.Entry(EptPt, GuestRoot >> 12) & EptDirty, Is.Zero);
        Assert.That(_image.Entry(EptPt, GuestPd >> 12) & EptDirty, Is.Not.Zero);
    }

    [Test]
    public void ABitToSetInAReadOnlyTableIsAViolation([Values] bool isPae)
    {
        WalkFormat guest = isPae ? PaeGuest() : LegacyGuest();
        ulong gva = isPae ? 0x4000_2123UL : 0x40_2123;
        ulong entryGpa = GuestPt + (isPae ? 16UL : 8);
        _image.Entry(EptPt, GuestPt >> 12) &= ~EptWrite;
        WalkResult r = _image.Walk2D(Ept(accessedDirty: false), guest, gva, Prot.Read);
        Assert.That(r.Outcome, Is.EqualTo(WalkOutcome.Violation));
        Assert.That(r.Info, Is.EqualTo(0x80 | 3 | (5 << 3)));
        Assert.That(r.FaultGpa, Is.EqualTo(entryGpa));
        if (isPae) _image.Entry(GuestPt, 2) |= X86Accessed;
        else _image.Entry32(GuestPt, 2) |= (uint)X86Accessed;
        r = _image.Walk2D(Ept(accessedDirty: false), guest, gva, Prot.Read);
        Assert.That(r.Outcome, Is.EqualTo(WalkOutcome.Ok));
    }

    [Test]
    public void AGuestTableThatIsNoMemoryIsOutside()
    {
        WalkFormat guest = LegacyGuest();
        _image.Entry(EptPt, GuestPt >> 12) = (1UL << 39) | 0x37;
        WalkResult r = _image.Walk2D(Ept(accessedDirty: true), guest, 0x40_2123, Prot.Read);
        Assert.That(r.Outcome, Is.EqualTo(WalkOutcome.Outside));
        Assert.That(r.Hpa, Is.EqualTo((1UL << 39) | 8));
        Assert.That(r.FaultGpa, Is.EqualTo(GuestPt | 8));
    }

    [Test]
    public void AMisconfiguredGuestTableIsReportedWithItsAddress()
    {
        WalkFormat guest = PaeGuest();
        _image.Entry(EptPt, GuestPd >> 12) = GuestPd | 0x32;
        WalkResult r = _image.Walk2D(Ept(accessedDirty: true), guest, 0x4000_2123, Prot.Read);
        Assert.That(r.Outcome, Is.EqualTo(WalkOutcome.Misconfiguration));
        Assert.That(r.FaultGpa, Is.EqualTo(GuestPd));
        Assert.That(r.EntryCount, Is.EqualTo(1), "the guest's entries that were read");
    }

    [Test]
    public void AnUnpagedGuestIsWalkedOnce()
    {
        WalkFormat guest = WalkFormat.ForX86(1, 0, 0, 0, 40);
        ImageMemory memory = _image.Memory;
        WalkFormat nested = Ept(accessedDirty: true);
        Walker.Walk2D(ref memory, in nested, in guest, 0xB123, Prot.Write, false, out WalkResult r, out ulong gpa);
        Assert.That((r.Outcome, r.Hpa, gpa, r.Accesses), Is.EqualTo((WalkOutcome.Ok, 0xB123UL, 0xB123UL, 4)));
        Assert.That(r.Granted, Is.EqualTo(Prot.All));
    }
}
