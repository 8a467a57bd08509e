using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.PageTables;

[Category(Categories.Vectors)]
public sealed class PmapHarvestModifiedTests
{
    [TestCase("EptEmulated", 0x0030000000000475UL)]
    [TestCase("Ept", 0x577UL)]
    [TestCase("Rvi", 0x427UL)]
    public void ClearingLeavesTheWorkedValueAndADirtyFrame(string name, ulong expected)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        ulong page = h.TakePages(0);
        h.Enter(0x7000, page, Prot.All, Prot.Write);
        Assert.That(h.HarvestModified(0, PmapHarness.Mega2, true, out ulong[] bitmap), Is.EqualTo(1));
        Assert.That(bitmap[0], Is.EqualTo(1UL << 7));
        Assert.That(h.Entry(0x7000), Is.EqualTo(page | expected));
        Assert.That(h.Arena.Frames.IsDirty((uint)(page >> 12)), Is.True);
        Assert.That(h.Log.Changes, Has.Count.EqualTo(1));
        h.Check();
        Assert.That(h.HarvestModified(0, PmapHarness.Mega2, true, out _), Is.Zero);
        Assert.That(h.Access(0x7000, Prot.Write), Is.True);
        Assert.That(h.HarvestModified(0, PmapHarness.Mega2, true, out _), Is.EqualTo(1));
    }

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void LookingChangesNothing(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        h.Enter(0x7000, h.TakePages(0), Prot.All, Prot.Write);
        h.Enter(0x8000, h.TakePages(0), Prot.All, Prot.Read);
        ulong entry = h.Entry(0x7000);
        for (int i = 0; i < 2; i++)
        {
            Assert.That(h.HarvestModified(0x6000, 0x4000, false, out ulong[] bitmap), Is.EqualTo(1));
            Assert.That(bitmap[0], Is.EqualTo(2));
        }
        Assert.That(h.Entry(0x7000), Is.EqualTo(entry));
        Assert.That(h.Log.Changes, Is.Empty);
    }

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void WhatWasMovedOutOfTheEntryIsReported(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        ulong[] pages = [h.TakePages(0), h.TakePages(0), h.TakePages(0), h.TakePages(0)];
        for (int i = 0; i < 4; i++) h.Enter((ulong)i << 12, pages[i], Prot.All, i == 3 ? Prot.Read : Prot.Write);
        h.Pmap.ClearReferenced(0, out _);
        h.RemoveWrite(0x1000, 0x1000);
        h.Remove(0x2000, 0x1000);
        h.Enter(0x2000, pages[2], Prot.All, Prot.Read);
        h.Arena.Frames.SetDirty((uint)(pages[3] >> 12));    // The host wrote.
        Assert.That(h.HarvestModified(0, 0x5000, true, out ulong[] bitmap), Is.EqualTo(4));
        Assert.That(bitmap[0], Is.EqualTo(0xF));
        h.Log.Release();
        Assert.That(h.HarvestModified(0, 0x5000, true, out _), Is.Zero);
        for (int i = 0; i < 4; i++) Assert.That(h.Arena.Frames.IsDirty((uint)(pages[i] >> 12)), Is.True);
        h.Check();
    }

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void AWholeSuperpageParksItsWriteRight(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        ulong pages = h.TakePages(9);
        h.EnterSuperpage(PmapHarness.Mega2, pages, 2, new LeafRequest(Prot.All, Prot.Write));
        Assert.That(h.HarvestModified(0, PmapHarness.Giga, true, out ulong[] bitmap), Is.EqualTo(512));
        Assert.That(bitmap[7], Is.Zero);
        for (int i = 8; i < 16; i++) Assert.That(bitmap[i], Is.EqualTo(ulong.MaxValue));
        Assert.That(bitmap[16], Is.Zero);
        Assert.That(h.LevelOf(PmapHarness.Mega2), Is.EqualTo(2));
        Assert.That(h.Pmap.TryExtract(PmapHarness.Mega2, Prot.Write, out _), Is.False);
        Assert.That(h.Entry(PmapHarness.Mega2) & PteFormat.WriteParked, Is.Not.Zero);
        Assert.That(h.Log.Changes, Has.Count.EqualTo(1));
        h.Check();
        Assert.That(h.HarvestModified(0, PmapHarness.Giga, true, out _), Is.Zero);
    }

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void APartOfASuperpageIsDemotedAndTheRestKeepsItsMarks(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        ulong pages = h.TakePages(9);
        h.EnterSuperpage(0, pages, 2, new LeafRequest(Prot.All, Prot.Write));
        Assert.That(h.HarvestModified(0x3000, 0x2000, true, out ulong[] bitmap), Is.EqualTo(2));
        Assert.That(bitmap[0], Is.EqualTo(3));
        Assert.That(h.HarvestModified(0, PmapHarness.Mega2, true, out bitmap), Is.EqualTo(510));
        Assert.That(bitmap[0], Is.EqualTo(~0x18UL));
        h.Check();
    }

    [Test]
    public void WithoutAFrameAPartIsReportedButNotCleared()
    {
        using var h = new PmapHarness(Formats.EptEmulated);
        ulong pages = h.TakePages(9);
        h.EnterSuperpage(0, pages, 2, new LeafRequest(Prot.All, Prot.Write));
        ulong entry = h.Entry(0);
        h.LimitFrames(0);
        Assert.That(h.HarvestModified(0x3000, 0x2000, true, out _), Is.EqualTo(2));
        Assert.That(h.HarvestModified(0x3000, 0x2000, true, out _), Is.EqualTo(2));
        Assert.That(h.Entry(0), Is.EqualTo(entry));
        h.Check();
    }

    [Test]
    public void DeviceMemoryIsNotReported()
    {
        using var h = new PmapHarness(Formats.Ept);
        h.Enter(0, 0xFE000000, new LeafRequest(Prot.ReadWrite, Prot.Write, managed: false));
        h.EnterSuperpage(PmapHarness.Mega2, 0xFE000000, 2, new LeafRequest(Prot.All, Prot.Write, managed: false));
        ulong entry = h.Entry(0);
        Assert.That(h.HarvestModified(0, PmapHarness.Giga, true, out _), Is.Zero);
        Assert.That(h.Entry(0), Is.EqualTo(entry));
        h.Check();
    }
}
