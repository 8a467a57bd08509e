using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;

namespace Pagoda.Tests.PageTables;

public sealed class PmapDemoteTests
{
    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void LeavesMapTheSameWithTheSameMarks(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        LeafRequest[] requests =
        [
            new(Prot.All, Prot.Write), new(Prot.All, Prot.Read), new(Prot.All, Prot.None), new(Prot.Read, Prot.Read),
            new(Prot.ReadWrite, Prot.Write, wired: true), new(Prot.ReadExecute, Prot.Execute, uncached: true),
        ];
        ulong pages = h.TakePages(9);
        foreach (LeafRequest request in requests)
        {
            h.EnterSuperpage(0, pages, 2, request);
            ulong superpage = h.Entry(0);
            Prot prot = h.Pmap.Format.ProtOf(superpage);
            bool isParked = (superpage & PteFormat.WriteParked) != 0;
            Assert.That(h.Demote(0x7000), Is.EqualTo(PmapStatus.Ok));
            for (ulong i = 0; i < 512; i++)
                Assert.That(h.Entry(i << 12), Is.EqualTo(h.Pmap.Format.Demoted(superpage, 2) + (i << 12)));
            Prot expected = isParked ? prot | Prot.Write : prot;
            Assert.That(h.Pmap.Format.ProtOf(h.Entry(0)), Is.EqualTo(expected));
            Assert.That(expected, Is.EqualTo(request.Prot));
            h.Check();
            Assert.That(h.Demote(0x7000), Is.EqualTo(PmapStatus.Unchanged));
            h.RemoveAll();
        }
        h.AssertNothingLeaked(512);
    }

    [Test]
    public void WithoutAFrameTheMappingIsRemoved()
    {
        using var h = new PmapHarness(Formats.EptEmulated);
        ulong pages = h.TakePages(9);
        h.EnterSuperpage(0, pages, 2, new LeafRequest(Prot.All, Prot.Write));
        ulong entry = h.Entry(0);
        h.LimitFrames(0);
        Assert.That(h.Demote(0x7000), Is.EqualTo(PmapStatus.NoFrame));
        Assert.That(h.Log.Pages, Is.EqualTo(new[] { (0UL, entry, 2) }));
        Assert.That(h.Entry(0), Is.Zero);
        h.Check();
        Assert.That(h.Demote(0x7000), Is.EqualTo(PmapStatus.NotMapped));
        Assert.That(h.Demote(h.Pmap.GpaLimit), Is.EqualTo(PmapStatus.NotMapped));
    }

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void AGigapageBecomesSuperpages(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        var request = new LeafRequest(Prot.ReadExecute, Prot.Read, managed: false);
        h.EnterSuperpage(0, 1UL << 45, 3, request);
        ulong gigapage = h.Entry(0);
        Assert.That(h.Demote(PmapHarness.Mega2 * 7), Is.EqualTo(PmapStatus.Ok));
        for (ulong i = 0; i < 512; i++)
        {
            Assert.That(h.Entry(i << 21), Is.EqualTo(gigapage + (i << 21)));
            Assert.That(h.LevelOf(i << 21), Is.EqualTo(2));
        }
        h.Check();
        Assert.That(h.Access(PmapHarness.Giga - 1, Prot.Read), Is.True);
        h.RemoveAll();
    }
}
