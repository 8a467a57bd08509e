using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;

namespace Pagoda.Tests.PageTables;

public sealed class PmapEnterSuperpageTests
{
    private static readonly LeafRequest s_read = new(Prot.All, Prot.Read);
    private static readonly LeafRequest s_write = new(Prot.All, Prot.Write);

    [TestCase("EptEmulated", 0x00300000000004F7UL, 0x01100000000004F5UL)]
    [TestCase("Ept", 0x7F7UL, 0x01000000000005F5UL)]
    [TestCase("Rvi", 0x4E7UL, 0x01000000000004A5UL)]
    public void IsWritableWithModifiedOnly(string name, ulong written, ulong read)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        ulong pages = h.TakePages(9);
        Assert.That(h.EnterSuperpage(0, pages, 2, s_read), Is.EqualTo(PmapStatus.Ok));
        Assert.That(h.Entry(0x123456), Is.EqualTo(pages | read));
        Assert.That(h.EnterSuperpage(0, pages, 2, s_read), Is.EqualTo(PmapStatus.Unchanged));
        Assert.That(h.EnterSuperpage(0, pages, 2, s_write), Is.EqualTo(PmapStatus.Ok), "upgraded in place");
        Assert.That(h.Entry(0x123456), Is.EqualTo(pages | written));
        Assert.That(h.EnterSuperpage(0, pages, 2, s_read), Is.EqualTo(PmapStatus.Unchanged));
        Assert.That(h.Log.Changes, Is.Empty);
        h.Check();
        PmapStatistics statistics = h.Statistics;
        Assert.That(statistics.ResidentPages, Is.EqualTo(512));
        Assert.That(statistics.Superpages, Is.EqualTo(1));
        h.RemoveAll();
        h.AssertNothingLeaked(512);
    }

    [Test]
    public void LosingAParkedWriteRightIsToldBecauseATlbMayKnowIt()
    {
        using var h = new PmapHarness(Formats.EptEmulated);
        ulong pages = h.TakePages(9);
        h.EnterSuperpage(0, pages, 2, s_write);
        h.Pmap.ClearReferenced(0, out bool moved);      // No shootdown: a TLB may go on writing.
        Assert.That(moved, Is.True);
        var fewer = new LeafRequest(Prot.ReadExecute, Prot.Read);
        Assert.That(h.EnterSuperpage(0, pages, 2, fewer), Is.EqualTo(PmapStatus.Ok));
        Assert.That(h.Entry(0) & PteFormat.WriteParked, Is.Zero);
        Assert.That(h.Log.Changes, Has.Count.EqualTo(1));
        h.Check();
    }

    [Test]
    public void FewerRightsDirtyEveryFrame()
    {
        using var h = new PmapHarness(Formats.Ept);
        ulong pages = h.TakePages(9);
        h.EnterSuperpage(0, pages, 2, s_write);
        h.EnterSuperpage(0, pages, 2, new LeafRequest(Prot.ReadExecute, Prot.Read));
        Assert.That(h.Log.Changes, Has.Count.EqualTo(1));
        for (uint i = 0; i < 512; i++) Assert.That(h.Arena.Frames.IsDirty((uint)(pages >> 12) + i), Is.True);
        h.Check();
    }

    [Test]
    public void SmallerLeavesOrAnotherFrameAreInTheWay()
    {
        using var h = new PmapHarness(Formats.Ept);
        ulong pages = h.TakePages(10);
        h.Enter(0x3000, pages + 0x3000, Prot.All, Prot.Read);
        Assert.That(h.EnterSuperpage(0, pages, 2, s_read), Is.EqualTo(PmapStatus.Occupied));
        h.EnterSuperpage(PmapHarness.Mega2, pages, 2, s_read);
        Assert.That(h.EnterSuperpage(PmapHarness.Mega2, pages + PmapHarness.Mega2, 2, s_read),
            Is.EqualTo(PmapStatus.Occupied));
        h.Check();
    }

    [Test]
    public void WithoutTheCapabilityItIsDenied()
    {
        using var none = new PmapHarness(new PmapOptions { PhysBits = 46, Superpages = false });
        Assert.That(none.EnterSuperpage(0, none.TakePages(9), 2, s_read), Is.EqualTo(PmapStatus.Denied));
        using var no1G = new PmapHarness(new PmapOptions { PhysBits = 46 });
        var device = new LeafRequest(Prot.All, Prot.Read, managed: false);
        Assert.That(no1G.EnterSuperpage(0, 1UL << 45, 3, device), Is.EqualTo(PmapStatus.Denied));
        Assert.That(no1G.EnterSuperpage(0, no1G.TakePages(9), 2, default), Is.EqualTo(PmapStatus.Denied));
        none.RemoveAll();
        no1G.RemoveAll();
    }

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void OneGigabyteByOneLeaf(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        var device = new LeafRequest(Prot.ReadWrite, Prot.Read, managed: false, uncached: true);
        Assert.That(h.EnterSuperpage(PmapHarness.Giga, 1UL << 45, 3, device), Is.EqualTo(PmapStatus.Ok));
        Assert.That(h.Access(PmapHarness.Giga + 0x12345678, Prot.Write), Is.True);
        Assert.That(h.Pmap.TryExtract(PmapHarness.Giga + 0x12345678, Prot.Write, out ulong hpa), Is.True);
        Assert.That(hpa, Is.EqualTo((1UL << 45) + 0x12345678));
        Assert.That(h.Statistics.Gigapages, Is.EqualTo(1));
        Assert.That(h.Statistics.ResidentPages, Is.EqualTo(512 * 512));
        Assert.That(h.EnterSuperpage(PmapHarness.Giga, 1UL << 45, 3, device), Is.EqualTo(PmapStatus.Unchanged));
        h.Check();
        h.RemoveAll();
        h.AssertNothingLeaked(0);
    }

    [Test]
    public void AnEmptyTableIsUnlinkedForAGigapage()
    {
        using var h = new PmapHarness(Formats.Ept);
        h.Pmap.LockWindow(PmapHarness.Giga + 0x5000, h.Cache, out WindowLock window);
        h.Pmap.Unlock(window);
        var device = new LeafRequest(Prot.All, Prot.Read, managed: false);
        Assert.That(h.EnterSuperpage(PmapHarness.Giga, 1UL << 45, 3, device), Is.EqualTo(PmapStatus.Ok));
        Assert.That(h.Log.Tables, Has.Count.EqualTo(1));
        h.Check();
        h.Enter(5 * PmapHarness.Giga, h.TakePages(0), Prot.All, Prot.Read);
        Assert.That(h.EnterSuperpage(5 * PmapHarness.Giga, 1UL << 45, 3, device), Is.EqualTo(PmapStatus.Occupied));
        h.RemoveAll();
    }

    [Test]
    public void PartsOfAGigapage()
    {
        using var h = new PmapHarness(Formats.Ept);
        var read = new LeafRequest(Prot.All, Prot.Read, managed: false);
        ulong hpa = 1UL << 45;
        h.EnterSuperpage(0, hpa, 3, new LeafRequest(Prot.ReadExecute, Prot.Read, managed: false));
        Assert.That(h.EnterSuperpage(PmapHarness.Mega2, hpa, 2, read), Is.EqualTo(PmapStatus.Occupied));
        var fetch = new LeafRequest(Prot.ReadExecute, Prot.Execute, managed: false);
        Assert.That(h.EnterSuperpage(PmapHarness.Mega2, hpa + PmapHarness.Mega2, 2, fetch),
            Is.EqualTo(PmapStatus.Unchanged));
        var write = new LeafRequest(Prot.All, Prot.Write, managed: false);
        Assert.That(h.EnterSuperpage(PmapHarness.Mega2, hpa + PmapHarness.Mega2, 2, write), Is.EqualTo(PmapStatus.Ok));
        Assert.That(h.Statistics.Gigapages, Is.Zero);
        Assert.That(h.Statistics.Superpages, Is.EqualTo(512));
        Assert.That(h.Access(PmapHarness.Mega2, Prot.Write), Is.True);
        Assert.That(h.Access(0, Prot.Write), Is.False);
        h.Check();
        h.RemoveAll();
    }
}
