using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;

namespace Pagoda.Tests.PageTables;

public sealed class PmapWireTests
{
    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void WiredPagesNeverFaultAgain(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        ulong pages = h.TakePages(9);
        h.EnterRun(0, pages, 100, new LeafRequest(Prot.All, Prot.None), out _);
        Assert.That(h.Pmap.Wire(0, 100 << 12, Prot.All, h.Cache, out ulong done), Is.EqualTo(PmapStatus.Ok));
        Assert.That(done, Is.EqualTo(100 << 12));
        Assert.That(h.Statistics.WiredPages, Is.EqualTo(100));
        for (ulong i = 0; i < 100; i++)
        {
            Assert.That(h.Walk(i << 12, Prot.Write).Outcome, Is.EqualTo(WalkOutcome.Ok));
            Assert.That(h.Entry(i << 12) & h.Pmap.Format.Modified, Is.Not.Zero);
        }
        h.Check();
        Assert.That(h.Pmap.Wire(0, 100 << 12, Prot.All, h.Cache, out _), Is.EqualTo(PmapStatus.Ok));
        Assert.That(h.Statistics.WiredPages, Is.EqualTo(100));
    }

    [Test]
    public void EndsAtThePageThatIsNotThere()
    {
        using var h = new PmapHarness(Formats.Ept);
        ulong pages = h.TakePages(9);
        h.EnterRun(0, pages, 10, new LeafRequest(Prot.All, Prot.Read), out _);
        Assert.That(h.Pmap.Wire(0x2000, 0x10000, Prot.All, h.Cache, out ulong done), Is.EqualTo(PmapStatus.NotMapped));
        Assert.That(done, Is.EqualTo(0x8000));
        Assert.That(h.Statistics.WiredPages, Is.EqualTo(8));
        Assert.That(h.Pmap.Wire(PmapHarness.Giga, 0x1000, Prot.All, h.Cache, out done),
            Is.EqualTo(PmapStatus.NotMapped));
        Assert.That(done, Is.Zero);
        h.EnterRun(0xA000, pages + 0xA000, 502, new LeafRequest(Prot.All, Prot.Read), out _);
        Assert.That(h.Pmap.Wire(0, PmapHarness.Giga, Prot.All, h.Cache, out done), Is.EqualTo(PmapStatus.NotMapped));
        Assert.That(done, Is.EqualTo(PmapHarness.Mega2));
        h.Check();
        h.RemoveAll();
    }

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void AWholeSuperpageIsWiredInPlaceAndAPartDemotesIt(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        ulong pages = h.TakePages(10);
        h.EnterSuperpage(0, pages, 2, new LeafRequest(Prot.All, Prot.None));
        h.EnterSuperpage(PmapHarness.Mega2, pages + PmapHarness.Mega2, 2, new LeafRequest(Prot.All, Prot.Write));
        ulong length = PmapHarness.Mega2 + 0x5000;
        Assert.That(h.Pmap.Wire(0, length, Prot.All, h.Cache, out ulong done), Is.EqualTo(PmapStatus.Ok));
        Assert.That(done, Is.EqualTo(length));
        Assert.That(h.LevelOf(0), Is.EqualTo(2));
        Assert.That(h.LevelOf(PmapHarness.Mega2), Is.EqualTo(1));
        Assert.That(h.Statistics.WiredPages, Is.EqualTo(517));
        Assert.That(h.Walk(0x3000, Prot.Read).Outcome, Is.EqualTo(WalkOutcome.Ok));
        h.Check();
        Assert.That(h.Pmap.Wire(0x3000, 0x1000, Prot.All, h.Cache, out _), Is.EqualTo(PmapStatus.Ok));
        Assert.That(h.LevelOf(0), Is.EqualTo(2), "wired already");
        h.RemoveAll();
    }

    [Test]
    public void WithoutAFrameASuperpageStaysAsItIs()
    {
        using var h = new PmapHarness(Formats.Ept);
        h.EnterSuperpage(0, h.TakePages(9), 2, new LeafRequest(Prot.All, Prot.Read));
        ulong entry = h.Entry(0);
        h.LimitFrames(0);
        Assert.That(h.Pmap.Wire(0, PmapHarness.Mega2, Prot.All, h.Cache, out ulong done),
            Is.EqualTo(PmapStatus.NoFrame));
        Assert.That(done, Is.Zero);
        Assert.That(h.Pmap.Wire(0x3000, 0x1000, Prot.All, h.Cache, out _), Is.EqualTo(PmapStatus.NoFrame));
        Assert.That(h.Entry(0), Is.EqualTo(entry));
        h.Check();
    }

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void WhatLacksARightGetsItAndAFrameIsWiredOnceALeaf(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        ulong pages = h.TakePages(9);
        uint first = (uint)(pages >> 12);
        h.EnterRun(0, pages, 4, new LeafRequest(Prot.Read, Prot.Read), out _);
        h.EnterRun(PmapHarness.Mega2, pages, 4, new LeafRequest(Prot.Read, Prot.Read), out _);
        h.Pmap.Wire(0, 0x2000, Prot.Read, h.Cache, out _);
        Assert.That(h.Pmap.Wire(0, 0x4000, Prot.All, h.Cache, out _), Is.EqualTo(PmapStatus.Ok));
        h.Pmap.Wire(PmapHarness.Mega2, 0x1000, Prot.Read, h.Cache, out _);
        for (ulong page = 0; page < 4; page++)
        {
            Assert.That(h.Walk(page << 12, Prot.Write).Outcome, Is.EqualTo(WalkOutcome.Ok));
            Assert.That(h.Arena.Frames.WireCount(first + (uint)page), Is.EqualTo(page == 0 ? 2 : 1));
        }
        Assert.That(h.Walk(PmapHarness.Mega2, Prot.Write).Outcome, Is.Not.EqualTo(WalkOutcome.Ok));
        h.Check();
        h.Pmap.Unwire(0, 0x1000, h.Cache);
        Assert.That(h.Arena.Frames.WireCount(first), Is.EqualTo(1));
        h.RemoveAll();
        for (uint page = 0; page < 4; page++) Assert.That(h.Arena.Frames.WireCount(first + page), Is.Zero);
    }

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void AReadOnlySuperpageGetsItsWriteRightInPlace(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        ulong pages = h.TakePages(9);
        h.EnterSuperpage(0, pages, 2, new LeafRequest(Prot.All, Prot.Read));
        Assert.That(h.Pmap.Wire(0, PmapHarness.Mega2, Prot.All, h.Cache, out _), Is.EqualTo(PmapStatus.Ok));
        Assert.That(h.LevelOf(0), Is.EqualTo(2));
        Assert.That(h.Walk(0x3000, Prot.Write).Outcome, Is.EqualTo(WalkOutcome.Ok));
        Assert.That(h.Arena.Frames.WireCount((uint)(pages >> 12) + 511), Is.EqualTo(1));
        h.Check();
        h.Pmap.Unwire(0x3000, 0x1000, h.Cache);
        Assert.That(h.Arena.Frames.WireCount((uint)(pages >> 12) + 3), Is.Zero);
        Assert.That(h.Arena.Frames.WireCount((uint)(pages >> 12) + 4), Is.EqualTo(1));
        h.RemoveAll();
    }
}
