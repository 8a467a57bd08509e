using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;

namespace Pagoda.Tests.PageTables;

/// <summary>One scenario that takes frames in every way there is, with the n-th take failing, for every n.</summary>
public sealed class PmapExhaustionTests
{
    private const ulong Mega2 = PmapHarness.Mega2;

    [Test]
    public void WhicheverFrameIsMissingNothingIsLostOrLeaked(
        [ValueSource(typeof(Formats), nameof(Formats.Names))] string name)
    {
        const int More = 24;        // More than the scenario takes.
        bool complete = false;
        for (int frames = 0; frames <= More; frames++)
        {
            using var h = new PmapHarness(Formats.ByName(name));
            ulong pages = h.TakePages(11);
            complete = Run(h, pages, frames);
            Assert.That(complete, Is.False.Or.EqualTo(frames > 11));
            bool leftOver = !h.IsDry;
            h.LimitFrames(-1);
            h.RemoveAll();
            h.AssertNothingLeaked(2048);
            if (frames == More) Assert.That(leftOver, Is.True);
        }
        Assert.That(complete, Is.True);
    }

    /// <returns>True when every step had its frames.</returns>
    private static bool Run(PmapHarness h, ulong pages, int frames)
    {
        var write = new LeafRequest(Prot.All, Prot.Write);
        var wired = new LeafRequest(Prot.All, Prot.Read, wired: true);
        var device = new LeafRequest(Prot.ReadWrite, Prot.Read, managed: false, uncached: true);
        int failed = 0;
        h.LimitFrames(frames);
        Step(h.Enter(0x7000, pages, Prot.All, Prot.Read));
        Step(h.EnterRun(511 * Mega2, pages, 700, write, out _));
        Step(h.EnterSuperpage(Mega2, pages, 2, wired));
        Step(h.EnterSuperpage(2 * Mega2, pages + Mega2, 2, write));
        Step(h.EnterSuperpage(3 * Mega2, pages + 2 * Mega2, 2, new LeafRequest(Prot.All, Prot.Read)));
        Step(h.EnterSuperpage(7UL << 39, 1UL << 45, 3, device));
        Step(h.Enter((7UL << 39) + 5 * Mega2, (1UL << 45) + 5 * Mega2, new LeafRequest(Prot.All, Prot.Execute,
            managed: false)));
        Step(h.Enter(3 * Mega2 + 0x5000, pages + 2 * Mega2 + 0x5000, Prot.All, Prot.Write));
        Step(h.Demote(2 * Mega2));
        Step(h.Pmap.Wire(2 * Mega2, Mega2, Prot.All, h.Cache, out _));
        h.Protect(Mega2 + 0x1000, 0x4000, Prot.Read);
        Check();
        h.HarvestModified(0, PmapHarness.Giga, true, out _);
        Check();
        h.Pmap.Unwire(Mega2, 2 * Mega2, h.Cache);
        Check();
        h.Remove(0x1000, 3 * Mega2);
        Check();
        return failed == 0;

        void Step(PmapStatus status)
        {
            if (status == PmapStatus.NoFrame) Assert.That(h.IsDry, Is.True);
            if (status > PmapStatus.Unchanged) failed++;
            Check();
        }

        void Check()
        {
            ulong wiredPages = h.Statistics.WiredPages;
            foreach ((ulong _, ulong entry, int level) in h.Log.Pages)
                Assert.That(level == 1 || (entry & PteFormat.Wired) == 0, Is.True, "a wired superpage went");
            h.Check();
            Assert.That(h.Statistics.WiredPages, Is.EqualTo(wiredPages));
        }
    }
}
