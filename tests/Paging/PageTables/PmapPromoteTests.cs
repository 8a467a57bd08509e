using System;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;

namespace Pagoda.Tests.PageTables;

public sealed class PmapPromoteTests
{
    private const ulong Page = PmapHarness.Page;

    private static PromotionResult Promote(PmapHarness h, ulong gpa = 0) => h.Promote(gpa);

    private static ulong FullWindow(PmapHarness h, Prot prot, Prot access, bool wired = false)
    {
        ulong pages = h.TakePages(9);
        h.EnterRun(0, pages, 512, new LeafRequest(prot, access, wired), out ulong entered);
        Assert.That(entered, Is.EqualTo(512));
        return pages;
    }

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void WrittenLeavesBecomeAWritableSuperpage(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        ulong pages = FullWindow(h, Prot.All, Prot.Write);
        Assert.That(Promote(h, 0x12_3000), Is.EqualTo(PromotionResult.Promoted));
        Assert.That(h.LevelOf(0), Is.EqualTo(2));
        Assert.That(h.Pmap.Format.LeafFrame(h.Entry(0), 2), Is.EqualTo(pages));
        Assert.That(h.Pmap.Format.Grants(h.Entry(0), Prot.All), Is.True);
        Assert.That(h.Access(0x1F_F000, Prot.Write), Is.True);
        Assert.That(h.Log.Retired, Has.Count.EqualTo(1));
        Assert.That(h.Log.Tables, Is.Empty);
        Assert.That(h.Log.Pages, Is.Empty);
        Assert.That(h.Log.Changes, Is.Empty);
        h.Check();
        Assert.That(h.Statistics.Promotions, Is.EqualTo(1));
        Assert.That(h.Statistics.Superpages, Is.EqualTo(1));
        Assert.That(Promote(h), Is.EqualTo(PromotionResult.NotEligible));
        h.RemoveAll();
        h.AssertNothingLeaked(512);
    }

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void LeavesThatWereOnlyReadParkTheirWriteRight(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        FullWindow(h, Prot.All, Prot.Read);
        Assert.That(Promote(h), Is.EqualTo(PromotionResult.Promoted));
        ulong entry = h.Entry(0);
        Assert.That(entry & h.Pmap.Format.Writable, Is.Zero);
        Assert.That(entry & h.Pmap.Format.Modified, Is.Zero);
        Assert.That(entry & PteFormat.WriteParked, Is.Not.Zero);
        Assert.That(h.Access(0x5000, Prot.Read), Is.True);
        Assert.That(h.Walk(0x5000, Prot.Write).Outcome, Is.Not.EqualTo(WalkOutcome.Ok));
        h.Check();
        h.Demote(0);
        Assert.That(h.Pmap.Format.ProtOf(h.Entry(0x5000)), Is.EqualTo(Prot.All));
        h.Check();
    }

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public unsafe void AWalkerInTheOldTableFindsNothingToMarkAsWritten(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        FullWindow(h, Prot.All, Prot.Read);
        Assert.That(Promote(h), Is.EqualTo(PromotionResult.Promoted));
        ulong* old = (ulong*)h.Arena.DirectMap((ulong)h.Log.Retired[0] << Paging.PageShift);
        for (int i = 0; i < 512; i++)
        {
            Assert.That(old[i] & h.Pmap.Format.Valid, Is.Not.Zero, "walkers go on with what is still right");
            Assert.That(h.Pmap.Format.Grants(old[i], Prot.Read), Is.True);
            Assert.That(h.Pmap.Format.Grants(old[i], Prot.Write), Is.False);
        }
    }

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void LeavesThatMayNotBeWrittenAtAllParkNothing(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        FullWindow(h, Prot.All, Prot.Read);
        h.Protect(0x7000, Page, Prot.ReadExecute);
        Assert.That(Promote(h), Is.EqualTo(PromotionResult.Different), "one page may not be written, the others may");
        h.Protect(0, PmapHarness.Mega2, Prot.ReadExecute);
        Assert.That(Promote(h), Is.EqualTo(PromotionResult.Promoted));
        Assert.That(h.Entry(0) & PteFormat.WriteParked, Is.Zero);
        Assert.That(h.Access(0x5000, Prot.Write), Is.False);
        h.Check();
    }

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void DemotionGivesBackTheLeavesThatWerePromoted(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        FullWindow(h, Prot.ReadWrite, Prot.Write);
        ulong[] before = new ulong[512];
        for (ulong i = 0; i < 512; i++) before[i] = h.Entry(i * Page);
        Promote(h);
        Assert.That(h.Demote(0), Is.EqualTo(PmapStatus.Ok));
        for (ulong i = 0; i < 512; i++) Assert.That(h.Entry(i * Page), Is.EqualTo(before[i]));
        h.Check();
        Assert.That(h.Statistics.Demotions, Is.EqualTo(1));
    }

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void AMissingLeafIsNotCountedAsAFailure(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        FullWindow(h, Prot.All, Prot.Write);
        h.Remove(0x7000, Page);
        Assert.That(Promote(h), Is.EqualTo(PromotionResult.NotEligible));
        Assert.That(h.Statistics.FailedPromotions, Is.Zero);
        Assert.That(Promote(h, h.Pmap.GpaLimit), Is.EqualTo(PromotionResult.NotEligible));
    }

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void AnUnusedLeafBlocks(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        FullWindow(h, Prot.Read, Prot.Read);
        h.Pmap.ClearReferenced(0x9000, out _);
        Assert.That(Promote(h), Is.EqualTo(PromotionResult.NotAccessed));
        Assert.That(h.Statistics.FailedNotAccessed, Is.EqualTo(1));
        Assert.That(h.LevelOf(0), Is.EqualTo(1));
        Assert.That(h.Access(0x9000, Prot.Read), Is.True);
        Assert.That(Promote(h), Is.EqualTo(PromotionResult.Promoted));
        h.Check();
    }

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void ADifferentRightBlocks(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        FullWindow(h, Prot.All, Prot.Write);
        h.Protect(0x1F_F000, Page, Prot.ReadWrite);
        Assert.That(Promote(h), Is.EqualTo(PromotionResult.Different));
        h.Protect(0x1F_F000, Page, Prot.Read);
        Assert.That(Promote(h), Is.EqualTo(PromotionResult.Different));
        Assert.That(h.Statistics.FailedDifferent, Is.EqualTo(2));
        h.Check();
    }

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void OneUnwrittenLeafBlocksAndKeepsItsWriteRight(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        FullWindow(h, Prot.All, Prot.Write);
        h.HarvestModified(0x3000, Page, clear: true, out _);
        Assert.That(Promote(h), Is.EqualTo(PromotionResult.Different));
        Assert.That(h.Pmap.Format.Grants(h.Entry(0x3000), Prot.Write), Is.True);
        Assert.That(h.Access(0x3000, Prot.Write), Is.True);
        Assert.That(Promote(h), Is.EqualTo(PromotionResult.Promoted));
        h.Check();
    }

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void AWiredLeafAmongOthersBlocks(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        FullWindow(h, Prot.All, Prot.Write);
        Assert.That(h.Pmap.Wire(0x8000, Page, Prot.All, h.Cache, out _), Is.EqualTo(PmapStatus.Ok));
        Assert.That(Promote(h), Is.EqualTo(PromotionResult.Different));
        h.Check();
    }

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void AWiredWindowHoldsATableInReserve(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        FullWindow(h, Prot.All, Prot.Write, wired: true);
        h.LimitFrames(0);
        Assert.That(Promote(h), Is.EqualTo(PromotionResult.NoFrame));
        Assert.That(h.Statistics.FailedNoFrame, Is.EqualTo(1));
        h.LimitFrames(-1);
        Assert.That(Promote(h), Is.EqualTo(PromotionResult.Promoted));
        Assert.That(h.Statistics.ReservePages, Is.EqualTo(1));
        Assert.That(h.Statistics.WiredPages, Is.EqualTo(512));
        h.Check();
        h.LimitFrames(0);
        Assert.That(h.Demote(0), Is.EqualTo(PmapStatus.Ok));
        h.Check();
    }

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void FramesOutOfPlaceBlock(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        ulong pages = h.TakePages(10);
        var request = new LeafRequest(Prot.All, Prot.Write);
        // One row, one frame late.
        h.EnterRun(0, pages + Page, 512, request, out _);
        Assert.That(Promote(h), Is.EqualTo(PromotionResult.NotEligible));
        // In place but for one.
        h.EnterRun(PmapHarness.Mega2, pages, 511, request, out _);
        h.Enter(PmapHarness.Mega2 + 511 * Page, pages + 700 * Page, request);
        Assert.That(Promote(h, PmapHarness.Mega2), Is.EqualTo(PromotionResult.Scattered));
        Assert.That(h.Statistics.FailedScattered, Is.EqualTo(1));
        h.Check();
    }

    [Test]
    public void DeviceMemoryAndAPmapWithoutSuperpagesStayAsTheyAre()
    {
        using var device = new PmapHarness(Formats.Ept);
        device.EnterRun(0, 1UL << 45, 512, new LeafRequest(Prot.All, Prot.Write, managed: false), out _);
        Assert.That(Promote(device), Is.EqualTo(PromotionResult.NotEligible));
        using var small = new PmapHarness(new PmapOptions { PhysBits = Formats.PhysBits, Superpages = false });
        FullWindow(small, Prot.All, Prot.Write);
        Assert.That(Promote(small), Is.EqualTo(PromotionResult.NotEligible));
        Assert.That(small.Statistics.FailedPromotions, Is.Zero);
    }

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void ChurnKeepsEveryRule(string name)
    {
        const int Seed = 7;
        using var h = new PmapHarness(Formats.ByName(name));
        var random = new Random(Seed);
        ulong pages = h.TakePages(9);
        Span<ulong> model = stackalloc ulong[512];      // the rights each page may have; 0: not mapped
        int promoted = 0;
        for (int step = 0; step < 400; step++)
        {
            ulong index = (ulong)random.Next(512);
            ulong gpa = index * Page;
            string where = name + ", seed " + Seed + ", step " + step;
            switch (random.Next(8))
            {
                case 0 or 1 or 2:
                    Prot access = random.Next(3) == 0 ? Prot.Read : Prot.Write;
                    for (ulong i = 0; i < 512; i++)
                    {
                        if (!h.Access(i * Page, access)) h.Enter(i * Page, pages + i * Page, Prot.All, access);
                        model[(int)i] = (ulong)Prot.All;
                    }
                    break;
                case 3:
                    h.Remove(gpa, Page);
                    model[(int)index] = 0;
                    break;
                case 4:
                    h.Protect(gpa, Page, Prot.Read);
                    if (model[(int)index] != 0) model[(int)index] = (ulong)Prot.Read;
                    break;
                case 5:
                    h.Pmap.ClearReferenced(gpa, out _);
                    break;
                case 6:
                    h.HarvestModified(0, PmapHarness.Mega2, clear: true, out _);
                    break;
                default:
                    h.Demote(gpa);
                    break;
            }
            if (Promote(h) == PromotionResult.Promoted) promoted++;
            h.Check();
            for (ulong i = 0; i < 512; i++)
            {
                ulong entry = h.Entry(i * Page);
                bool fits = (entry != 0) == (model[(int)i] != 0);
                if (entry != 0)
                {
                    ulong offset = h.LevelOf(i * Page) == 2 ? i * Page : 0;
                    fits &= h.Pmap.Format.LeafFrame(entry, h.LevelOf(i * Page)) + offset == pages + i * Page;
                    fits &= (h.Pmap.Format.ProtOf(entry) & ~(Prot)model[(int)i]) == 0;
                }
                if (!fits) Assert.Fail("Page " + i + " is not as the model has it: " + where);
            }
        }
        Assert.That(promoted, Is.GreaterThan(20), name);
        h.RemoveAll();
        h.AssertNothingLeaked(512);
    }
}
