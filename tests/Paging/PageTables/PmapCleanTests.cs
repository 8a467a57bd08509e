using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;

namespace Pagoda.Tests.PageTables;

public sealed class PmapCleanTests
{
    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void AWrittenPageLosesItsMarkToTheFrameAndKeepsItsMapping(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        ulong pages = h.TakePages(1);
        h.Enter(0x5000, pages, Prot.All, Prot.Write);
        h.Enter(0x6000, pages + 0x1000, Prot.All, Prot.Write);
        ulong written = h.Entry(0x5000);

        Assert.That(Clean(h, 0x5000), Is.EqualTo(PmapStatus.Ok));

        Assert.That(h.Entry(0x5000), Is.EqualTo(written & ~h.Pmap.Format.Modified));
        Assert.That(h.Arena.Frames.IsDirty((uint)(pages >> 12)), Is.True);
        Assert.That(h.Entry(0x6000) & h.Pmap.Format.Modified, Is.Not.Zero);
        Assert.That(h.Arena.Frames.IsDirty((uint)(pages >> 12) + 1), Is.False);
        Assert.That(Clean(h, 0x9000), Is.EqualTo(PmapStatus.Ok), "nothing is there");
        h.Check();
        h.RemoveAll();
    }

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void AWiredPageAndASuperpageKeepTheirMarks(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        h.Enter(0x5000, h.TakePages(0), Prot.All, Prot.Write);
        h.Pmap.Wire(0x5000, 0x1000, Prot.All, h.Cache, out _);
        h.EnterSuperpage(PmapHarness.Mega2, h.TakePages(9), 2, new LeafRequest(Prot.All, Prot.Write));
        ulong wired = h.Entry(0x5000);
        ulong superpage = h.Entry(PmapHarness.Mega2);

        Assert.That(Clean(h, 0x5000), Is.EqualTo(PmapStatus.Denied));
        Assert.That(Clean(h, PmapHarness.Mega2 + 0x3000), Is.EqualTo(PmapStatus.Denied));

        Assert.That(h.Entry(0x5000), Is.EqualTo(wired));
        Assert.That(h.Entry(PmapHarness.Mega2), Is.EqualTo(superpage));
        h.RemoveAll();
    }

    private static PmapStatus Clean(PmapHarness h, ulong gpa)
    {
        LogSink sink = h.Sink;
        return h.Pmap.Clean(gpa, h.Cache, ref sink);
    }
}
