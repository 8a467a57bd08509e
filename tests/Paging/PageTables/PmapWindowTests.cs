using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;
using Pagoda.Physical;

namespace Pagoda.Tests.PageTables;

public sealed class PmapWindowTests
{
    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void AWindowCanBeLockedInSeveralSteps(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        ulong pages = h.TakePages(9);
        Assert.That(h.Pmap.LockWindow(0x5000, h.Cache, out WindowLock window), Is.EqualTo(PmapStatus.Ok));
        Assert.That(window.IsHeld, Is.True);
        Assert.That(h.Entry(0x5000), Is.Zero);
        h.Pmap.Unlock(window);
        h.Check();
        Assert.That(h.Statistics.TablePages, Is.EqualTo(3), "the upper tables are there");
        LogSink sink = h.Sink;
        h.Pmap.LockWindow(0x5000, h.Cache, out window);
        h.Pmap.Enter(ref window, 0x5000, pages, new LeafRequest(Prot.All, Prot.Read), h.Cache, ref sink);
        h.Pmap.Enter(ref window, 0x6000, pages + 0x1000, new LeafRequest(Prot.All, Prot.Read), h.Cache, ref sink);
        h.Pmap.Unlock(window);
        h.Check();
        Assert.That(h.Statistics.ResidentPages, Is.EqualTo(2));
        h.RemoveAll();
    }

    [Test]
    public void WithoutFramesNothingIsLocked()
    {
        using var h = new PmapHarness(Formats.Ept);
        for (int frames = 0; frames < 2; frames++)
        {
            h.LimitFrames(frames);
            Assert.That(h.Pmap.LockWindow(0, h.Cache, out WindowLock window), Is.EqualTo(PmapStatus.NoFrame));
            Assert.That(window.IsHeld, Is.False);
            h.Check();
            h.LimitFrames(-1);
            h.RemoveAll();
        }
    }

    [Test]
    public void ADisjointWindowIsNotBlocked()
    {
        using var h = new PmapHarness(Formats.Ept);
        ulong pages = h.TakePages(9);
        h.Pmap.LockWindow(0, h.Cache, out WindowLock window);
        Assert.That(h.Enter(PmapHarness.Mega2, pages, Prot.All, Prot.Read), Is.EqualTo(PmapStatus.Ok));
        h.Remove(PmapHarness.Mega2, PmapHarness.Giga - PmapHarness.Mega2);
        Assert.That(h.Entry(PmapHarness.Mega2), Is.Zero);
        h.Pmap.Unlock(window);
        h.RemoveAll();
    }

    [Test]
    public void AnUnlockLosesNothingThatIsSetBesideIt()
    {
        using var h = new PmapHarness(Formats.EptEmulated);
        h.EnterSuperpage(0, h.TakePages(9), 2, new LeafRequest(Prot.ReadExecute, Prot.None));
        bool stop = false;
        var locker = new System.Threading.Thread(() =>
        {
            while (!System.Threading.Volatile.Read(ref stop))
            {
                h.Pmap.LockWindow(0, h.Cache, out WindowLock window);
                h.Pmap.Unlock(window);
            }
        });
        locker.Start();
        int lost = 0;
        for (int i = 0; i < 400_000; i++)
        {
            if (h.Pmap.EmulateAccess(0x5000, Prot.Read) != AdEmulation.SetSuperpageAccessed) lost++;
            if (!h.Pmap.ClearReferenced(0x5000, out _)) lost++;
        }
        System.Threading.Volatile.Write(ref stop, true);
        locker.Join();
        Assert.That(lost, Is.Zero);
        h.Check();
    }

    [Test]
    public void AnUnheldLockIsNone() => Assert.That(default(WindowLock).IsHeld, Is.False);
}
