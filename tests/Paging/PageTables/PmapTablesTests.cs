using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;
using Pagoda.Physical;

namespace Pagoda.Tests.PageTables;

public sealed class PmapTablesTests
{
    [Test]
    public void TablesComeAndGoWithTheirEntries()
    {
        using var h = new PmapHarness(Formats.Ept);
        ulong page = h.TakePages(0);
        (ulong Gpa, ulong Tables)[] steps =
        [
            (0, 4), (0x1000, 4), (PmapHarness.Mega2, 5), (PmapHarness.Giga, 7), (1UL << 39, 10),
        ];
        foreach ((ulong gpa, ulong tables) in steps)
        {
            h.Enter(gpa, page, Prot.All, Prot.Read);
            Assert.That(h.Statistics.TablePages, Is.EqualTo(tables));
            h.Check();
        }
        ulong[] left = [7, 5, 4, 4, 1];
        for (int i = 0; i < steps.Length; i++)
        {
            h.Remove(steps[^(i + 1)].Gpa, PmapHarness.Page);
            Assert.That(h.Statistics.TablePages, Is.EqualTo(left[i]));
            h.Check();
        }
    }

    [Test]
    public void ConsumersThatLinkTheSameTablesShareThem()
    {
        using var h = new PmapHarness(Formats.Ept);
        ulong pages = h.TakePages(9);
        for (ulong round = 0; round < 60; round++)
        {
            ulong gpa = round << 39;
            using var start = new System.Threading.Barrier(2);
            var other = new System.Threading.Thread(() =>
            {
                using var cache = new FrameCache(h.Arena);
                start.SignalAndWait();
                Enter(h, cache, gpa + PmapHarness.Mega2, pages);
            });
            other.Start();
            start.SignalAndWait();
            Enter(h, h.Cache, gpa, pages);
            other.Join();
            h.Check();
            Assert.That(h.Statistics.TablePages, Is.EqualTo(1 + 4 * (round + 1)));
        }
        h.RemoveAll();
        h.AssertNothingLeaked(512);
    }

    [TestCase(PmapHarness.Mega2, TestName = "windows of one table come and go side by side")]
    [TestCase(PmapHarness.Giga, TestName = "windows of neighbouring tables come and go side by side")]
    [TestCase(0UL, TestName = "pages of one window come and go side by side")]
    public void EnteringAndRemovingSideBySideLosesNothing(ulong distance)
    {
        // Table pages are not reused before the end, as limbo sees to in a guest.
        using var h = new PmapHarness(Formats.EptEmulated, 128UL << 20);
        ulong pages = h.TakePages(9);
        const int Rounds = 1500;
        string failure = "";
        System.Threading.Thread first = Start(distance);
        System.Threading.Thread second = Start(PmapHarness.Page * 200);
        first.Join();
        second.Join();
        Assert.That(failure, Is.Empty);
        h.Check();
        h.RemoveAll();

        System.Threading.Thread Start(ulong gpa)
        {
            var thread = new System.Threading.Thread(() =>
            {
                try
                {
                    Churn(h, gpa, pages, Rounds);
                }
                catch (InvariantException e)
                {
                    failure = e.ToString();     // Not the end of the process.
                }
            });
            thread.Start();
            return thread;
        }
    }

    private static void Churn(PmapHarness h, ulong gpa, ulong pages, int rounds)
    {
        using var cache = new FrameCache(h.Arena);
        var log = new SinkLog(h.Arena, () => h.Pmap.Format.Modified);
        var sink = new LogSink(log);
        var request = new LeafRequest(Prot.All, Prot.Write);
        for (int round = 0; round < rounds; round++)
        {
            PmapStatus status = h.Pmap.EnterRun(gpa, pages, 3, in request, cache, ref sink, out _);
            Invariant.Require(status == PmapStatus.Ok);
            Invariant.Require(h.Pmap.TryExtract(gpa + 0x2000, Prot.All, out ulong hpa));
            Invariant.Require(hpa == pages + 0x2000);
            h.Pmap.Remove(gpa, PmapHarness.Page * 3, cache, ref sink);
            Invariant.Require(log.Pages.Count == 3 * (round + 1));
            Invariant.Require(!h.Pmap.TryExtract(gpa, Prot.None, out _));
        }
        lock (h) h.Log.Tables.AddRange(log.Tables);
    }

    private static void Enter(PmapHarness h, FrameCache cache, ulong gpa, ulong hpa)
    {
        LogSink sink = h.Sink;
        PmapStatus status = h.Pmap.LockWindow(gpa, cache, out WindowLock window);
        Invariant.Require(status == PmapStatus.Ok);
        status = h.Pmap.Enter(ref window, gpa, hpa, new LeafRequest(Prot.All, Prot.Read), cache, ref sink);
        Invariant.Require(status == PmapStatus.Ok);
        h.Pmap.Unlock(window);
    }
}
