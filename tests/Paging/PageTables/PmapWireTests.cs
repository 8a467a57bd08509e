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
        Assert.That(h.Pmap.Wire(0, 100 << 12, h.Cache, out ulong done), Is.EqualTo(PmapStatus.Ok));
        Assert.That(done, Is.EqualTo(100 << 12));
        Assert.That(h.Statistics.WiredPages, Is.EqualTo(100));
        for (ulong i = 0; i < 100; i++)
        {
            Assert.That(h.Walk(i << 12, Prot.Write).Outcome, Is.EqualTo(WalkOutcome.Ok));
            Assert.That(h.Entry(i << 12) & h.Pmap.Format.Modified, Is.Not.Zero);
        }
        h.Check();
        Assert.That(h.Pmap.Wire(0, 100 << 12, h.Cache, out _), Is.EqualTo(PmapStatus.Ok));
        Assert.That(h.Statistics.WiredPages, Is.EqualTo(100));
    }

    [Test]
    public void EndsAtThePageThatIsNotThere()
    {
        using var h = new PmapHarness(Formats.Ept);
        ulong pages = h.TakePages(9);
        h.EnterRun(0, pages, 10, new LeafRequest(Prot.All, Prot.Read), out _);
        Assert.That(h.Pmap.Wire(0x2000, 0x10000, h.Cache, out ulong done), Is.EqualTo(PmapStatus.NotMapped));
        Assert.That(done, Is.EqualTo(0x8000));
        Assert.That(h.Statistics.WiredPages, Is.EqualTo(8));
        Assert.That(h.Pmap.Wire(PmapHarness.Giga, 0x1000, h.Cache, out done), Is.EqualTo(PmapStatus.NotMapped));
        Assert.That(done, Is.Zero);
        h.EnterRun(0xA000, pages + 0xA000, 502, new LeafRequest(Prot.All, Prot.Read), out _);
        Assert.That(h.Pmap.Wire(0, PmapHarness.Giga, h.Cache, out done), Is.EqualTo(PmapStatus.NotMapped));
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
        Assert.That(h.Pmap.Wire(0, length, h.Cache, out ulong done), Is.EqualTo(PmapStatus.Ok));
        Assert.That(done, Is.EqualTo(length));
        Assert.That(h.LevelOf(0), Is.EqualTo(2));
        Assert.That(h.LevelOf(PmapHarness.Mega2), Is.EqualTo(1));
        Assert.That(h.Statistics.WiredPages, Is.EqualTo(517));
        Assert.That(h.Walk(0x3000, Prot.Read).Outcome, Is.EqualTo(WalkOutcome.Ok));
        h.Check();
        Assert.That(h.Pmap.Wire(0x3000, 0x1000, h.Cache, out _), Is.EqualTo(PmapStatus.Ok));
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
        Assert.That(h.Pmap.Wire(0, PmapHarness.Mega2, h.Cache, out ulong done), Is.EqualTo(PmapStatus.NoFrame));
        Assert.That(done, Is.Zero);
        Assert.That(h.Pmap.Wire(0x3000, 0x1000, h.Cache, out _), Is.EqualTo(PmapStatus.NoFrame));
        Assert.That(h.Entry(0), Is.EqualTo(entry));
        h.Check();
    }
}
