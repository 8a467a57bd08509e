using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.PageTables;

[Category(Categories.Vectors)]
public sealed class PmapEnterRunTests
{
    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void ARunAcrossWindowsEqualsItsPagesOneByOne(string name)
    {
        using var run = new PmapHarness(Formats.ByName(name));
        using var single = new PmapHarness(Formats.ByName(name));
        ulong pages = run.TakePages(11);
        Assert.That(single.TakePages(11), Is.EqualTo(pages));
        var request = new LeafRequest(Prot.ReadWrite, Prot.Read, wired: true);
        const ulong Gpa = PmapHarness.Giga - 0x5000;
        Assert.That(run.EnterRun(Gpa, pages, 1100, request, out ulong entered), Is.EqualTo(PmapStatus.Ok));
        Assert.That(entered, Is.EqualTo(1100));
        for (ulong i = 0; i < 1100; i++) single.Enter(Gpa + i * 0x1000, pages + i * 0x1000, request);
        for (ulong i = 0; i < 1102; i++)
        {
            ulong gpa = Gpa - 0x1000 + i * 0x1000;
            Assert.That(run.Entry(gpa), Is.EqualTo(single.Entry(gpa)));
        }
        run.Check();
        Assert.That(run.Statistics, Is.EqualTo(single.Statistics));
        Assert.That(run.Statistics.WiredPages, Is.EqualTo(1100));
        run.RemoveAll();
        run.AssertNothingLeaked(2048);
    }

    [Test]
    public void EveryPlaceAndLengthInATable([Values(0, 1, 7, 8, 9, 504, 505, 511)] int first)
    {
        using var h = new PmapHarness(Formats.Ept);
        ulong pages = h.TakePages(9);
        int[] lengths = [1, 2, 3, 7, 8, 9, 15, 16, 17, 512];
        foreach (int wanted in lengths)
        {
            ulong length = (ulong)int.Min(wanted, 512 - first);
            ulong gpa = (ulong)first << 12;
            Assert.That(h.EnterRun(gpa, pages, length, new LeafRequest(Prot.All, Prot.Read), out _),
                Is.EqualTo(PmapStatus.Ok));
            for (ulong i = 0; i < 512; i++)
            {
                bool inside = i >= (ulong)first && i < (ulong)first + length;
                ulong expected = inside ? (pages + ((i - (ulong)first) << 12)) | 0x577 : 0;
                Assert.That(h.Entry(i << 12), Is.EqualTo(expected));
            }
            h.Check();
            h.Remove(0, PmapHarness.Mega2);
        }
    }

    [Test]
    public void FillsAroundWhatIsThere()
    {
        using var h = new PmapHarness(Formats.Ept);
        ulong pages = h.TakePages(9);
        h.Enter(0x3000, pages + 0x3000, Prot.All, Prot.Write);
        var request = new LeafRequest(Prot.All, Prot.Read);
        Assert.That(h.EnterRun(0, pages, 16, request, out ulong entered), Is.EqualTo(PmapStatus.Ok));
        Assert.That(entered, Is.EqualTo(16));
        Assert.That(h.Entry(0x3000) & 0xFFF, Is.EqualTo(0x777), "marks stay");
        h.Check();
        Assert.That(h.Statistics.ResidentPages, Is.EqualTo(16));
    }

    [Test]
    public void EndsAtAnotherFrame()
    {
        using var h = new PmapHarness(Formats.Ept);
        ulong pages = h.TakePages(10);
        h.Enter(0x203000, pages, Prot.All, Prot.Write);
        var request = new LeafRequest(Prot.All, Prot.Read, wired: true);
        Assert.That(h.EnterRun(0, pages, 600, request, out ulong entered), Is.EqualTo(PmapStatus.Occupied));
        Assert.That(entered, Is.EqualTo(515));
        h.Check();
        Assert.That(h.Statistics.ResidentPages, Is.EqualTo(516));
        Assert.That(h.Statistics.WiredPages, Is.EqualTo(515));
    }

    [Test]
    public void EndsWhereFramesDo()
    {
        using var h = new PmapHarness(Formats.Ept);
        ulong pages = h.TakePages(11);
        h.LimitFrames(4);
        var request = new LeafRequest(Prot.All, Prot.Read);
        Assert.That(h.EnterRun(0, pages, 1500, request, out ulong entered), Is.EqualTo(PmapStatus.NoFrame));
        Assert.That(entered, Is.EqualTo(1024));
        h.Check();
        Assert.That(h.EnterRun(0, pages, 5, default, out entered), Is.EqualTo(PmapStatus.Denied));
        Assert.That(entered, Is.Zero);
        h.RemoveAll();
    }

    [Test]
    public void OverASuperpage()
    {
        using var h = new PmapHarness(Formats.EptEmulated);
        ulong pages = h.TakePages(9);
        h.EnterSuperpage(0, pages, 2, new LeafRequest(Prot.All, Prot.Read));
        Assert.That(h.EnterRun(0x8000, pages + 0x8000, 8, new LeafRequest(Prot.All, Prot.Read), out ulong entered),
            Is.EqualTo(PmapStatus.Ok));
        Assert.That(entered, Is.EqualTo(8));
        Assert.That(h.LevelOf(0x8000), Is.EqualTo(2));
        Assert.That(h.EnterRun(0x8000, pages + 0x8000, 8, new LeafRequest(Prot.All, Prot.Write), out entered),
            Is.EqualTo(PmapStatus.Ok));
        Assert.That(entered, Is.EqualTo(8));
        Assert.That(h.Access(0xF000, Prot.Write), Is.True);
        Assert.That(h.LevelOf(0x10000), Is.EqualTo(1));
        Assert.That(h.Entry(0x10000) & h.Pmap.Format.Modified, Is.Zero);
        h.Check();
        h.RemoveAll();
    }
}
