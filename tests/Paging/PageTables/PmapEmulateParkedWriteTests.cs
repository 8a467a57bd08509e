using System.Threading;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;
using Pagoda.Physical;

namespace Pagoda.Tests.PageTables;

public sealed class PmapEmulateParkedWriteTests
{
    private const ulong Gpa = 0x12_3000;

    private static PmapHarness ReadAndPromoted(out ulong pages)
    {
        var h = new PmapHarness(Formats.EptEmulated);
        pages = h.TakePages(9);
        h.EnterRun(0, pages, 512, new LeafRequest(Prot.All, Prot.Read), out _);
        Assert.That(h.Promote(0), Is.EqualTo(PromotionResult.Promoted));
        return h;
    }

    [Test]
    public void EveryPageReadFirstAndWrittenLaterIsWrittenByOneEmulation()
    {
        using PmapHarness h = ReadAndPromoted(out ulong pages);
        Assert.That(h.Pmap.EmulateAccess(Gpa, Prot.Write), Is.EqualTo(AdEmulation.WriteParked));
        Assert.That(h.Pmap.EmulateParkedWrite(Gpa, Prot.Write, h.Cache), Is.EqualTo(AdEmulation.SetModified));
        Assert.That(h.Statistics.Demotions, Is.EqualTo(1));
        for (ulong gpa = 0; gpa < PmapHarness.Mega2; gpa += PmapHarness.Page)
        {
            // Hardware sees read and execute, and write on the written page alone.
            ulong rights = gpa == Gpa ? 0x0030_0000_0000_0477UL : 0x0030_0000_0000_0475UL;
            Assert.That(h.Entry(gpa), Is.EqualTo(pages + gpa | rights));
        }
        h.Check();
        Assert.That(h.Pmap.EmulateAccess(0x5000, Prot.Write), Is.EqualTo(AdEmulation.SetModified));
        Assert.That(h.Pmap.EmulateAccess(Gpa, Prot.Write), Is.EqualTo(AdEmulation.AlreadySet));
    }

    [Test]
    public void WithoutAFrameNothingIsChanged()
    {
        using PmapHarness h = ReadAndPromoted(out _);
        h.Log.Release();
        h.LimitFrames(0);
        ulong entry = h.Entry(0);
        Assert.That(h.Pmap.EmulateParkedWrite(Gpa, Prot.Write, h.Cache), Is.EqualTo(AdEmulation.Denied));
        Assert.That(h.Entry(0), Is.EqualTo(entry));
        h.Check();
    }

    [Test]
    public void WhatIsNoLongerParkedIsLookedAtAgain()
    {
        using PmapHarness h = ReadAndPromoted(out _);
        h.RemoveWrite(0, PmapHarness.Mega2);
        Assert.That(h.Entry(0) & PteFormat.WriteParked, Is.Zero);
        Assert.That(h.Pmap.EmulateParkedWrite(Gpa, Prot.Write, h.Cache), Is.EqualTo(AdEmulation.WriteParked));
        Assert.That(h.Pmap.EmulateAccess(Gpa, Prot.Write), Is.EqualTo(AdEmulation.Denied));
        Assert.That(h.LevelOf(0), Is.EqualTo(2));
        h.RemoveAll();
        Assert.That(h.Pmap.EmulateParkedWrite(Gpa, Prot.Write, h.Cache), Is.EqualTo(AdEmulation.WriteParked));
        Assert.That(h.Pmap.EmulateAccess(Gpa, Prot.Write), Is.EqualTo(AdEmulation.NotMapped));
    }

    [Test]
    public void A1GiBLeafIsDemotedTwice()
    {
        using var h = new PmapHarness(Formats.EptEmulated, 2UL << 30);
        h.EnterSuperpage(0, PmapHarness.Giga, 3, new LeafRequest(Prot.All, Prot.Read));
        Assert.That(h.Pmap.EmulateAccess(Gpa, Prot.Write), Is.EqualTo(AdEmulation.WriteParked));
        Assert.That(h.Pmap.EmulateParkedWrite(Gpa, Prot.Write, h.Cache), Is.EqualTo(AdEmulation.SetModified));
        Assert.That(h.LevelOf(Gpa), Is.EqualTo(1));
        Assert.That(h.LevelOf(PmapHarness.Mega2), Is.EqualTo(2));
        Assert.That(h.Entry(PmapHarness.Mega2) & PteFormat.WriteParked, Is.Not.Zero);
        h.Check();
        h.RemoveAll();
    }

    [Test]
    public void OneOfTwoWritersSetsTheMark()
    {
        for (int round = 0; round < 50; round++)
        {
            using PmapHarness h = ReadAndPromoted(out _);
            int set = 0;
            void Write()
            {
                AdEmulation result;
                do
                {
                    result = h.Pmap.EmulateAccess(Gpa, Prot.Write);
                    if (result != AdEmulation.WriteParked) break;
                    using var cache = new FrameCache(h.Arena);
                    result = h.Pmap.EmulateParkedWrite(Gpa, Prot.Write, cache);
                }
                while (result == AdEmulation.WriteParked);
                if (result == AdEmulation.SetModified) Interlocked.Increment(ref set);
            }
            var other = new Thread(Write);
            other.Start();
            Write();
            other.Join();
            Assert.That(set, Is.EqualTo(1));
            Assert.That(h.Statistics.Demotions, Is.EqualTo(1));
            h.Check();
        }
    }
}
