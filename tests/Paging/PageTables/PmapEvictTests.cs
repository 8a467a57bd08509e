using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;

namespace Pagoda.Tests.PageTables;

public sealed class PmapEvictTests
{
    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void OnePageGoesAndItsModifiedBitReachesTheFrame(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        ulong pages = h.TakePages(1);
        h.Enter(0x5000, pages, Prot.All, Prot.Write);
        h.Enter(0x6000, pages + 0x1000, Prot.All, Prot.Read);
        Assert.That(Evict(h, 0x5000), Is.EqualTo(PmapStatus.Ok));
        Assert.That(h.Entry(0x5000), Is.Zero);
        Assert.That(h.Entry(0x6000), Is.Not.Zero);
        Assert.That(h.Arena.Frames.IsDirty((uint)(pages >> 12)), Is.True);
        Assert.That(Evict(h, 0x5000), Is.EqualTo(PmapStatus.Ok), "nothing is there");
        h.Check();
        h.RemoveAll();
    }

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void AWiredPageStays(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        h.Enter(0x5000, h.TakePages(0), Prot.All, Prot.Write);
        h.Pmap.Wire(0x5000, 0x1000, Prot.All, h.Cache, out _);
        ulong entry = h.Entry(0x5000);
        Assert.That(Evict(h, 0x5000), Is.EqualTo(PmapStatus.Denied));
        Assert.That(h.Entry(0x5000), Is.EqualTo(entry));
        h.RemoveAll();
    }

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void APageOfASuperpageGoesAlone(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        h.EnterSuperpage(PmapHarness.Mega2, h.TakePages(9), 2, new LeafRequest(Prot.All, Prot.Write));
        Assert.That(Evict(h, PmapHarness.Mega2 + 0x3000), Is.EqualTo(PmapStatus.Ok));
        h.Check();
        Assert.That(h.Statistics.ResidentPages, Is.EqualTo(511));
        h.RemoveAll();
    }

    private static PmapStatus Evict(PmapHarness h, ulong gpa)
    {
        LogSink sink = h.Sink;
        return h.Pmap.Evict(gpa, h.Cache, ref sink);
    }
}
