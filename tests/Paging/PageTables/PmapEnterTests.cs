using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;
using Pagoda.Physical;

namespace Pagoda.Tests.PageTables;

public sealed class PmapEnterTests
{
    private const ulong Gpa = 0x40_3000;

    [TestCase("EptEmulated", 0x0030000000000475UL, 0x0030000000000477UL, 0x0030000000000C77UL)]
    [TestCase("Ept", 0x577UL, 0x777UL, 0xF77UL)]
    [TestCase("Rvi", 0x427UL, 0x467UL, 0xC67UL)]
    [TestCase("X86", 0x427UL, 0x467UL, 0xC67UL)]
    public void EntersTheWorkedValues(string name, ulong read, ulong written, ulong wired)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        ulong page = h.TakePages(0);
        Assert.That(h.Enter(Gpa, page, Prot.All, Prot.Read), Is.EqualTo(PmapStatus.Ok));
        Assert.That(h.Entry(Gpa), Is.EqualTo(page | read));
        h.Remove(Gpa, PmapHarness.Page);
        h.Enter(Gpa, page, Prot.All, Prot.Write);
        Assert.That(h.Entry(Gpa), Is.EqualTo(page | written));
        h.Remove(Gpa, PmapHarness.Page);
        h.Enter(Gpa, page, new LeafRequest(Prot.All, Prot.Read, wired: true));
        Assert.That(h.Entry(Gpa), Is.EqualTo(page | wired));
        h.Check();
        Assert.That(h.Statistics.WiredPages, Is.EqualTo(1));
        h.RemoveAll();
        h.AssertNothingLeaked(1);
    }

    [TestCase("EptEmulated", 0x80300000FE000043UL)]
    [TestCase("Ept", 0x80000000FE000343UL)]
    public void DeviceMemoryBeyondTheArenaIsUnmanaged(string name, ulong expected)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        var request = new LeafRequest(Prot.ReadWrite, Prot.Read, managed: false, uncached: true);
        Assert.That(h.Enter(Gpa, 0xFE000000, request), Is.EqualTo(PmapStatus.Ok));
        Assert.That(h.Entry(Gpa), Is.EqualTo(expected));
        Assert.That(h.Access(Gpa, Prot.Write), Is.True);
        h.RemoveAll();
    }

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void AccessesThatAreAllowedSucceedInHardwareAndOthersDoNot(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        ulong page = h.TakePages(0);
        for (int p = 1; p < 8; p++)
        {
            var prot = (Prot)p;
            if (!h.Pmap.Format.CanExpress(prot)) continue;
            foreach (Prot access in new[] { Prot.Read, Prot.Write, Prot.Execute })
            {
                Assert.That(h.Enter(Gpa, page, prot, Prot.None), Is.EqualTo(PmapStatus.Ok));
                Assert.That(h.Access(Gpa, access), Is.EqualTo((prot & access) != 0), $"{prot} {access}");
                h.Check();
                h.Remove(Gpa, PmapHarness.Page);
            }
        }
    }

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void TheSamePageAgainIsUnchanged(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        ulong page = h.TakePages(0);
        h.Enter(Gpa, page, Prot.All, Prot.Write);
        ulong entry = h.Entry(Gpa);
        Assert.That(h.Enter(Gpa, page, Prot.All, Prot.Read), Is.EqualTo(PmapStatus.Unchanged));
        Assert.That(h.Enter(Gpa, page, Prot.All, Prot.None), Is.EqualTo(PmapStatus.Unchanged));
        Assert.That(h.Entry(Gpa), Is.EqualTo(entry));
        Assert.That(h.Log.Changes, Is.Empty);
    }

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void AnAccessAddsItsMarks(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        ulong page = h.TakePages(0);
        h.Enter(Gpa, page, Prot.All, Prot.None);
        Assert.That(h.Entry(Gpa) & h.Pmap.Format.Accessed, Is.Zero);
        Assert.That(h.Enter(Gpa, page, Prot.All, Prot.Read), Is.EqualTo(PmapStatus.Ok));
        Assert.That(h.Entry(Gpa) & h.Pmap.Format.Accessed, Is.Not.Zero);
        Assert.That(h.Enter(Gpa, page, Prot.All, Prot.Write), Is.EqualTo(PmapStatus.Ok));
        Assert.That(h.Entry(Gpa) & h.Pmap.Format.Modified, Is.Not.Zero);
        Assert.That(h.Log.Changes, Is.Empty);
        h.Check();
    }

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void FewerRightsMoveTheModifiedBitAndTellTheSink(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        ulong page = h.TakePages(0);
        h.Enter(Gpa, page, Prot.All, Prot.Write);
        ulong old = h.Entry(Gpa);
        Assert.That(h.Enter(Gpa, page, Prot.ReadExecute, Prot.Read), Is.EqualTo(PmapStatus.Ok));
        Assert.That(h.Log.Changes, Is.EqualTo(new[] { (Gpa, old, 1) }));
        Assert.That(h.Arena.Frames.IsDirty((uint)(page >> 12)), Is.True);
        Assert.That(h.Pmap.Format.ProtOf(h.Entry(Gpa)), Is.EqualTo(Prot.ReadExecute));
        h.Check();
        Assert.That(h.Enter(Gpa, page, Prot.All, Prot.Write), Is.EqualTo(PmapStatus.Ok));
        Assert.That(h.Log.Changes, Is.Empty, "more rights need no shootdown");
        Assert.That(h.Entry(Gpa), Is.EqualTo(old));
    }

    [Test]
    public void AnotherMemoryTypeTellsTheSink()
    {
        using var h = new PmapHarness(Formats.Ept);
        ulong page = h.TakePages(0);
        h.Enter(Gpa, page, Prot.All, Prot.Read);
        h.Enter(Gpa, page, new LeafRequest(Prot.All, Prot.Read, uncached: true));
        Assert.That(h.Log.Changes, Has.Count.EqualTo(1));
        Assert.That(h.Entry(Gpa) & 0x78, Is.EqualTo(0x40));
        h.Check();
    }

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void WhatIsWiredStaysWired(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        ulong page = h.TakePages(0);
        h.Enter(Gpa, page, Prot.All, Prot.Read);
        h.Enter(Gpa, page, new LeafRequest(Prot.All, Prot.Read, wired: true));
        ulong wired = h.Entry(Gpa);
        Assert.That(wired & PteFormat.Wired, Is.Not.Zero);
        Assert.That(wired & h.Pmap.Format.Modified, Is.Not.Zero, "used by every right");
        Assert.That(h.Enter(Gpa, page, Prot.All, Prot.Read), Is.EqualTo(PmapStatus.Unchanged));
        Assert.That(h.Statistics.WiredPages, Is.EqualTo(1));
        h.Check();
    }

    [Test]
    public void AnotherFrameIsOccupied()
    {
        using var h = new PmapHarness(Formats.Ept);
        ulong pages = h.TakePages(10);
        h.Enter(Gpa, pages, Prot.All, Prot.Read);
        Assert.That(h.Enter(Gpa, pages + 0x1000, Prot.All, Prot.Read), Is.EqualTo(PmapStatus.Occupied));
        h.EnterSuperpage(0, pages, 2, new LeafRequest(Prot.All, Prot.Read));
        Assert.That(h.Enter(0x3000, pages + 0x4000, Prot.All, Prot.Read), Is.EqualTo(PmapStatus.Occupied));
        Assert.That(h.LevelOf(0x3000), Is.EqualTo(2));
        h.Check();
    }

    [Test]
    public void ImpossibleRightsAreDenied()
    {
        using var h = new PmapHarness(Formats.Ept);
        ulong page = h.TakePages(0);
        Assert.That(h.Enter(Gpa, page, Prot.None, Prot.None), Is.EqualTo(PmapStatus.Denied));
        Assert.That(h.Enter(Gpa, page, Prot.Write, Prot.Write), Is.EqualTo(PmapStatus.Denied));
        Assert.That(h.Enter(Gpa, page, Prot.Execute, Prot.Execute), Is.EqualTo(PmapStatus.Denied));
        Assert.That(h.Enter(Gpa, page, Prot.ReadExecute, Prot.Write), Is.EqualTo(PmapStatus.Denied));
        Assert.That(h.Enter(Gpa, page, default), Is.EqualTo(PmapStatus.Denied));
        h.RemoveAll();
    }

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void AWriteToASuperpageThatParksTheRightGivesItBackToEveryLeaf(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        ulong pages = h.TakePages(9);
        h.EnterSuperpage(0, pages, 2, new LeafRequest(Prot.All, Prot.Read));
        Assert.That(h.Pmap.TryExtract(0x5000, Prot.Write, out _), Is.False);
        Assert.That(h.Enter(0x5000, pages + 0x5000, Prot.All, Prot.Write), Is.EqualTo(PmapStatus.Ok));
        Assert.That(h.Access(0x5000, Prot.Write), Is.True);
        for (ulong gpa = 0; gpa < PmapHarness.Mega2; gpa += PmapHarness.Page)
        {
            ulong entry = h.Entry(gpa);
            Assert.That(h.Pmap.Format.ProtOf(entry), Is.EqualTo(Prot.All));
            Assert.That((entry & h.Pmap.Format.Modified) != 0, Is.EqualTo(gpa == 0x5000));
            Assert.That(h.LevelOf(gpa), Is.EqualTo(1));
        }
        h.Check();
        Assert.That(h.Statistics.Demotions, Is.EqualTo(1));
        Assert.That(h.Statistics.ResidentPages, Is.EqualTo(512));
        Assert.That(h.Log.Pages, Is.Empty);
    }

    [Test]
    public void ASuperpageThatAllowsTheAccessStays()
    {
        using var h = new PmapHarness(Formats.EptEmulated);
        ulong pages = h.TakePages(9);
        h.EnterSuperpage(0, pages, 2, new LeafRequest(Prot.ReadExecute, Prot.None));
        Assert.That(h.Enter(0x5000, pages + 0x5000, Prot.All, Prot.None), Is.EqualTo(PmapStatus.Unchanged));
        Assert.That(h.Enter(0x5000, pages + 0x5000, Prot.All, Prot.Execute), Is.EqualTo(PmapStatus.Ok));
        Assert.That(h.Enter(0x5000, pages + 0x5000, Prot.All, Prot.Execute), Is.EqualTo(PmapStatus.Unchanged));
        Assert.That(h.LevelOf(0x5000), Is.EqualTo(2));
        h.Check();
    }

    [Test]
    public void AGigapageIsDemotedTwiceForAPage()
    {
        using var h = new PmapHarness(Formats.Ept);
        var request = new LeafRequest(Prot.ReadExecute, Prot.Read, managed: false);
        Assert.That(h.EnterSuperpage(0, 0x20_0000_0000, 3, request), Is.EqualTo(PmapStatus.Ok));
        ulong gpa = 5 * PmapHarness.Mega2 + 0x3000;
        var write = new LeafRequest(Prot.All, Prot.Write, managed: false);
        Assert.That(h.Enter(gpa, 0x20_0000_0000 + gpa, write), Is.EqualTo(PmapStatus.Ok));
        Assert.That(h.LevelOf(gpa), Is.EqualTo(1));
        Assert.That(h.LevelOf(gpa + PmapHarness.Mega2), Is.EqualTo(2));
        Assert.That(h.Statistics.Demotions, Is.EqualTo(2));
        Assert.That(h.Statistics.ResidentPages, Is.EqualTo(512 * 512));
        h.Check();
        h.RemoveAll();
    }
}
