using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;

namespace Pagoda.Tests.PageTables;

public sealed class PmapReserveTests
{
    private static readonly LeafRequest s_wired = new(Prot.All, Prot.Read, wired: true);

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void AWiredSuperpageIsDemotedWithoutAFrame(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        ulong pages = h.TakePages(9);
        Assert.That(h.EnterSuperpage(0, pages, 2, s_wired), Is.EqualTo(PmapStatus.Ok));
        Assert.That(h.Statistics.ReservePages, Is.EqualTo(1));
        h.LimitFrames(0);
        Assert.That(h.Demote(0x5000), Is.EqualTo(PmapStatus.Ok));
        h.Check();
        Assert.That(h.Statistics.ReservePages, Is.Zero);
        Assert.That(h.Statistics.WiredPages, Is.EqualTo(512));
        Assert.That(h.LevelOf(0x5000), Is.EqualTo(1));
        h.LimitFrames(-1);
        h.RemoveAll();
        h.AssertNothingLeaked(512);
    }

    [Test]
    public void AWiredGigapageHoldsWhatAllItsDemotionsNeed()
    {
        using var h = new PmapHarness(Formats.Ept);
        var wired = new LeafRequest(Prot.All, Prot.Read, wired: true, managed: false);
        Assert.That(h.EnterSuperpage(0, 1UL << 45, 3, wired), Is.EqualTo(PmapStatus.Ok));
        Assert.That(h.Statistics.ReservePages, Is.EqualTo(513));
        h.LimitFrames(0);
        for (ulong gpa = 0; gpa < PmapHarness.Giga; gpa += PmapHarness.Mega2) h.Remove(gpa, PmapHarness.Page);
        Assert.That(h.Log.Pages, Has.Count.EqualTo(512));
        h.Check();
        Assert.That(h.Statistics.ReservePages, Is.Zero);
        Assert.That(h.Statistics.WiredPages, Is.EqualTo(512 * 511));
        Assert.That(h.Statistics.Demotions, Is.EqualTo(513));
        h.LimitFrames(-1);
        h.RemoveAll();
        h.AssertNothingLeaked(0);
    }

    [Test]
    public void WithoutFramesForTheReserveNothingIsEntered([Values(0, 1, 300, 512)] int more)
    {
        using var h = new PmapHarness(Formats.Ept);
        h.LimitFrames(1 + more);        // One for the PDPT.
        var wired = new LeafRequest(Prot.All, Prot.Read, wired: true, managed: false);
        Assert.That(h.EnterSuperpage(0, 1UL << 45, 3, wired), Is.EqualTo(PmapStatus.NoFrame));
        Assert.That(h.Entry(0), Is.Zero);
        h.Check();
        h.LimitFrames(-1);
        h.RemoveAll();
        h.AssertNothingLeaked(0);
    }

    [Test]
    public void UnwiringGivesTheReserveBack()
    {
        using var h = new PmapHarness(Formats.Ept);
        ulong pages = h.TakePages(9);
        h.EnterSuperpage(0, pages, 2, s_wired);
        h.Pmap.Unwire(0, PmapHarness.Mega2, h.Cache);
        Assert.That(h.Statistics.ReservePages, Is.Zero);
        h.EnterSuperpage(0, pages, 2, s_wired);
        h.EnterSuperpage(0, pages, 2, s_wired);
        Assert.That(h.Statistics.ReservePages, Is.EqualTo(1));
        h.RemoveAll();
        h.AssertNothingLeaked(512);
    }
}
