using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;

namespace Pagoda.Tests.PageTables;

public sealed class PmapUnwireTests
{
    private static readonly LeafRequest s_wired = new(Prot.All, Prot.Read, wired: true);

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void UnwiresPagesAndSuperpagesAcrossARange(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        ulong pages = h.TakePages(11);
        h.EnterRun(0, pages, 512, s_wired, out _);
        h.EnterSuperpage(PmapHarness.Mega2, pages + PmapHarness.Mega2, 2, s_wired);
        h.EnterSuperpage(2 * PmapHarness.Mega2, pages + 2 * PmapHarness.Mega2, 2, s_wired);
        Assert.That(h.Statistics.WiredPages, Is.EqualTo(1536));
        h.LimitFrames(0);
        h.Pmap.Unwire(0x5000, 2 * PmapHarness.Mega2, h.Cache);
        Assert.That(h.LevelOf(PmapHarness.Mega2), Is.EqualTo(2), "unwired whole");
        Assert.That(h.LevelOf(2 * PmapHarness.Mega2), Is.EqualTo(1), "demoted from its reserve");
        Assert.That(h.Statistics.WiredPages, Is.EqualTo(5 + 512 - 5));
        Assert.That(h.Statistics.ResidentPages, Is.EqualTo(1536));
        h.Check();
        h.LimitFrames(-1);
        h.RemoveAll();
        h.AssertNothingLeaked(2048);
    }

    [Test]
    public void WhatIsNotThereOrNotWiredStays()
    {
        using var h = new PmapHarness(Formats.Ept);
        h.Enter(0x3000, h.TakePages(0), Prot.All, Prot.Read);
        h.EnterSuperpage(PmapHarness.Mega2, h.TakePages(9), 2, new LeafRequest(Prot.All, Prot.Read));
        ulong entry = h.Entry(0x3000);
        h.Pmap.Unwire(0, PmapHarness.Mega2 + 0x7000, h.Cache);
        Assert.That(h.Entry(0x3000), Is.EqualTo(entry));
        Assert.That(h.LevelOf(PmapHarness.Mega2), Is.EqualTo(2));
        h.Check();
    }
}
