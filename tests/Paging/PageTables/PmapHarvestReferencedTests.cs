using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;

namespace Pagoda.Tests.PageTables;

public sealed class PmapHarvestReferencedTests
{
    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void ReportsAndClearsWhatWasUsed(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        ulong pages = h.TakePages(9);
        for (ulong i = 0; i < 512; i += 3)
            h.Enter(i << 12, pages + (i << 12), Prot.All, i % 2 == 0 ? Prot.Write : Prot.None);
        Assert.That(h.HarvestReferenced(0, PmapHarness.Mega2, false, out ulong[] bitmap), Is.EqualTo(86));
        Assert.That(h.HarvestReferenced(0, PmapHarness.Mega2, true, out ulong[] again), Is.EqualTo(86));
        Assert.That(again, Is.EqualTo(bitmap));
        for (int i = 0; i < 512; i++)
            Assert.That((bitmap[i >> 6] >> (i & 63)) & 1, Is.EqualTo(i % 6 == 0 ? 1 : 0));
        Assert.That(h.HarvestReferenced(0, PmapHarness.Mega2, true, out _), Is.Zero);
        h.Check();
        for (uint i = 0; i < 512; i += 6)
        {
            bool moved = h.Arena.Frames.IsDirty((uint)(pages >> 12) + i);
            Assert.That(moved, Is.EqualTo(h.Pmap.Format.EmulatesAd));
            Assert.That(h.Access((ulong)i << 12, Prot.Write), Is.True);
        }
        Assert.That(h.HarvestReferenced(0x5000, 0x3000, true, out _), Is.EqualTo(1));
        Assert.That(h.Log.Changes, Is.Empty);
    }

    [Test]
    public void ASuperpagesBitGoesByARangeThatCoversIt()
    {
        using var h = new PmapHarness(Formats.EptEmulated);
        h.EnterSuperpage(PmapHarness.Mega2, h.TakePages(9), 2, new LeafRequest(Prot.All, Prot.Write));
        Assert.That(h.HarvestReferenced(PmapHarness.Mega2, 0x3000, true, out _), Is.EqualTo(3));
        Assert.That(h.HarvestReferenced(0, PmapHarness.Giga, true, out _), Is.EqualTo(512));
        Assert.That(h.HarvestReferenced(0, PmapHarness.Giga, true, out _), Is.Zero);
        h.Check();
    }

    [Test]
    public void WhatMustNeverFaultIsReportedEachTime()
    {
        using var h = new PmapHarness(Formats.EptEmulated);
        h.Enter(0, h.TakePages(0), new LeafRequest(Prot.All, Prot.Read, wired: true));
        for (int i = 0; i < 2; i++)
            Assert.That(h.HarvestReferenced(0, h.Pmap.GpaLimit >> 20, true, out _), Is.EqualTo(1));
    }
}
