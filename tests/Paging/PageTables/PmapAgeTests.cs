using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;

namespace Pagoda.Tests.PageTables;

public sealed unsafe class PmapAgeTests
{
    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void UsedPagesGetTheGenerationAndLoseTheirBit(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        ulong pages = h.TakePages(9);
        uint first = (uint)(pages >> 12);
        for (ulong i = 0; i < 512; i++) h.Enter(i << 12, pages + (i << 12), Prot.All, Prot.Read);
        Assert.That(h.Pmap.Age(0, PmapHarness.Mega2, 7), Is.EqualTo(512));
        for (ulong i = 0; i < 512; i += 5) Assert.That(h.Access(i << 12, Prot.Write), Is.True);
        Assert.That(h.Pmap.Age(0, PmapHarness.Mega2, 8), Is.EqualTo(103));
        for (uint i = 0; i < 512; i++)
            Assert.That(h.Arena.Frames.Ages[first + i], Is.EqualTo(i % 5 == 0 ? 8 : 7), "page " + i);
        Assert.That(h.Pmap.Age(0, PmapHarness.Mega2, 9), Is.Zero);
        h.Check();
        h.RemoveAll();
        for (uint i = 0; i < 512; i++)
            Assert.That(h.Arena.Frames.IsDirty(first + i), Is.EqualTo(i % 5 == 0), "dirty is never lost: page " + i);
    }

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void ASuperpageStandsForItsPages(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        ulong pages = h.TakePages(9);
        h.EnterSuperpage(PmapHarness.Mega2, pages, 2, new LeafRequest(Prot.All, Prot.Read));
        Assert.That(h.Pmap.Age(0, 2 * PmapHarness.Mega2, 5), Is.EqualTo(512));
        Assert.That(h.Arena.Frames.Ages[(uint)(pages >> 12) + 511], Is.EqualTo(5));
        Assert.That(h.Pmap.Age(0, 2 * PmapHarness.Mega2, 6), Is.Zero);
        h.RemoveAll();
    }
}
