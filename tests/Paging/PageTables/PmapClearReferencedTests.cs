using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;
using Pagoda.Physical;

namespace Pagoda.Tests.PageTables;

public sealed class PmapClearReferencedTests
{
    private const ulong Gpa = 0x7000;

    [TestCase("EptEmulated", 0x0070000000000470UL)]
    [TestCase("Ept", 0x677UL)]
    [TestCase("Rvi", 0x447UL)]
    public void ClearsAccessedOfAWrittenPage(string name, ulong expected)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        ulong page = h.TakePages(0);
        h.Enter(Gpa, page, Prot.All, Prot.Write);
        Assert.That(h.Pmap.ClearReferenced(Gpa, out bool moved), Is.True);
        Assert.That(moved, Is.EqualTo(name == "EptEmulated"));
        Assert.That(h.Arena.Frames.IsDirty((uint)(page >> 12)), Is.EqualTo(moved));
        Assert.That(h.Entry(Gpa), Is.EqualTo(page | expected));
        Assert.That(h.Pmap.ClearReferenced(Gpa, out moved), Is.False);
        Assert.That(moved, Is.False);
        h.Check();
        Assert.That(h.Access(Gpa, Prot.Execute), Is.True);
        Assert.That(h.Pmap.ClearReferenced(Gpa, out _), Is.True);
    }

    [Test]
    public void ACleanPageIsNotMarkedDirty()
    {
        using var h = new PmapHarness(Formats.EptEmulated);
        ulong page = h.TakePages(0);
        h.Enter(Gpa, page, Prot.All, Prot.Read);
        Assert.That(h.Pmap.ClearReferenced(Gpa, out bool moved), Is.True);
        Assert.That(moved, Is.False);
        Assert.That(h.Arena.Frames.IsDirty((uint)(page >> 12)), Is.False);
        Assert.That(h.Entry(Gpa), Is.EqualTo(page | 0x0070000000000470));
        Assert.That(h.Walk(Gpa, Prot.Execute).Outcome, Is.EqualTo(WalkOutcome.Violation));
    }

    [Test]
    public void WhatMustNeverFaultKeepsItsEmulatedBits()
    {
        using var h = new PmapHarness(Formats.EptEmulated);
        h.Enter(Gpa, h.TakePages(0), new LeafRequest(Prot.All, Prot.Read, wired: true));
        h.Enter(Gpa + 0x1000, 0xFE000000, new LeafRequest(Prot.ReadWrite, Prot.Read, managed: false));
        ulong wired = h.Entry(Gpa);
        ulong device = h.Entry(Gpa + 0x1000);
        Assert.That(h.Pmap.ClearReferenced(Gpa, out _), Is.True);
        Assert.That(h.Pmap.ClearReferenced(Gpa + 0x1000, out _), Is.True);
        Assert.That(h.Entry(Gpa), Is.EqualTo(wired));
        Assert.That(h.Entry(Gpa + 0x1000), Is.EqualTo(device));
    }

    [Test]
    public void AWrittenSuperpageParksItsWriteRightUnderEmulation()
    {
        using var h = new PmapHarness(Formats.EptEmulated);
        ulong pages = h.TakePages(9);
        h.EnterSuperpage(0, pages, 2, new LeafRequest(Prot.All, Prot.Write));
        Assert.That(h.Pmap.ClearReferenced(Gpa, out bool moved), Is.True);
        Assert.That(moved, Is.True);
        for (uint i = 0; i < 512; i++) Assert.That(h.Arena.Frames.IsDirty((uint)(pages >> 12) + i), Is.True);
        Assert.That(h.Entry(0), Is.EqualTo(pages | 0x01500000000004F0));
        h.Check();
        Assert.That(h.Pmap.ClearReferenced(Gpa, out _), Is.False);
        Assert.That(h.Access(Gpa, Prot.Read), Is.True);
        Assert.That(h.LevelOf(Gpa), Is.EqualTo(2));
        Assert.That(h.Access(Gpa, Prot.Write), Is.True);
        Assert.That(h.LevelOf(Gpa), Is.EqualTo(1));
        h.Check();
    }

    [Test]
    public void AWrittenSuperpageKeepsItsWriteRightWithHardwareBits()
    {
        using var h = new PmapHarness(Formats.Ept);
        ulong pages = h.TakePages(9);
        h.EnterSuperpage(0, pages, 2, new LeafRequest(Prot.All, Prot.Write));
        Assert.That(h.Pmap.ClearReferenced(Gpa, out bool moved), Is.True);
        Assert.That(moved, Is.False);
        Assert.That(h.Entry(0), Is.EqualTo(pages | 0x6F7));
        h.Check();
    }

    [Test]
    public void NothingMappedIsNotReferenced()
    {
        using var h = new PmapHarness(Formats.EptEmulated);
        Assert.That(h.Pmap.ClearReferenced(Gpa, out _), Is.False);
        Assert.That(h.Pmap.ClearReferenced(ulong.MaxValue, out _), Is.False);
    }
}
