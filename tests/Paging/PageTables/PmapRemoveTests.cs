using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.PageTables;

[Category(Categories.Vectors)]
public sealed class PmapRemoveTests
{
    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void ModifiedBitsReachTheirFrames(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        ulong pages = h.TakePages(9);
        for (ulong i = 0; i < 512; i++)
            h.Enter(i << 12, pages + (i << 12), Prot.All, i % 3 == 0 ? Prot.Write : Prot.Read);
        h.Remove(0, PmapHarness.Mega2);
        Assert.That(h.Log.Pages, Has.Count.EqualTo(512));
        for (uint i = 0; i < 512; i++)
            Assert.That(h.Arena.Frames.IsDirty((uint)(pages >> 12) + i), Is.EqualTo(i % 3 == 0));
        Assert.That(h.Log.Tables, Has.Count.EqualTo(3), "leaf table, PD, PDPT");
        h.Check();
        h.AssertNothingLeaked(512);
    }

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void APartOfASuperpageGoesAndTheRestStays(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        ulong pages = h.TakePages(9);
        h.EnterSuperpage(PmapHarness.Mega2, pages, 2, new LeafRequest(Prot.All, Prot.Write));
        h.Remove(PmapHarness.Mega2 - 0x3000, 0x5000);
        Assert.That(h.Log.Pages, Has.Count.EqualTo(2));
        h.Check();
        Assert.That(h.Statistics.ResidentPages, Is.EqualTo(510));
        Assert.That(h.Entry(PmapHarness.Mega2 + 0x1000), Is.Zero);
        Assert.That(h.LevelOf(PmapHarness.Mega2 + 0x2000), Is.EqualTo(1));
        Assert.That(h.Access(PmapHarness.Mega2 + 0x2000, Prot.Write), Is.True);
    }

    [Test]
    public void WithoutAFrameAllOfASuperpageGoes()
    {
        using var h = new PmapHarness(Formats.Ept);
        h.EnterSuperpage(PmapHarness.Mega2, h.TakePages(9), 2, new LeafRequest(Prot.All, Prot.Write));
        ulong entry = h.Entry(PmapHarness.Mega2);
        h.LimitFrames(0);
        h.Remove(PmapHarness.Mega2 + 0x3000, 0x1000);
        Assert.That(h.Log.Pages, Is.EqualTo(new[] { (PmapHarness.Mega2, entry, 2) }));
        Assert.That(h.Statistics.ResidentPages, Is.Zero);
        h.RemoveAll();
    }

    [Test]
    public void ARangeOfEverythingSkipsWhatIsNotThere([Values(4, 5)] int levels)
    {
        using var h = new PmapHarness(new PmapOptions { Levels = levels, PhysBits = 46, Gigapages = true });
        ulong pages = h.TakePages(9);
        ulong last = h.Pmap.GpaLimit - PmapHarness.Mega2;
        h.Enter(0, pages, Prot.All, Prot.Read);
        h.EnterSuperpage(last, pages, 2, new LeafRequest(Prot.All, Prot.Read));
        h.Enter(last >> 1, pages, Prot.All, Prot.Read);
        h.Remove(0, ulong.MaxValue & ~0xFFFUL);
        Assert.That(h.Log.Pages, Has.Count.EqualTo(3));
        h.Check();
        h.Remove(h.Pmap.GpaLimit, PmapHarness.Page);
        h.Remove(ulong.MaxValue & ~0xFFFUL, PmapHarness.Page);
        h.AssertNothingLeaked(512);
    }

    [Test]
    public void UpperTablesThatAFaultLeftAreUnlinked()
    {
        using var h = new PmapHarness(Formats.Ept);
        for (ulong i = 0; i < 4; i++)
        {
            h.Pmap.LockWindow(i << 39, h.Cache, out WindowLock window);
            h.Pmap.Unlock(window);
        }
        Assert.That(h.Statistics.TablePages, Is.EqualTo(9));
        h.Remove(0, 4UL << 39);
        h.Check();
        Assert.That(h.Statistics.TablePages, Is.EqualTo(1));
    }

    [Test]
    public void ATableWithALockedWindowStays()
    {
        using var h = new PmapHarness(Formats.Ept);
        h.Enter(0, h.TakePages(0), Prot.All, Prot.Read);
        h.Pmap.LockWindow(PmapHarness.Mega2 * 9, h.Cache, out WindowLock window);
        h.Remove(0, PmapHarness.Mega2);
        Assert.That(h.Statistics.TablePages, Is.EqualTo(3));
        h.Pmap.Unlock(window);
        h.Check();
        h.Remove(PmapHarness.Mega2 * 9, PmapHarness.Page);
        h.Check();
        Assert.That(h.Statistics.TablePages, Is.EqualTo(1));
    }

    [Test]
    public void RandomAddressesComeBackToTheStart()
    {
        using var h = new PmapHarness(Formats.Rvi);
        var random = new Support.SeededGenerator(0x5EED_0001);
        ulong page = h.TakePages(0);
        var gpas = new ulong[200];
        for (int i = 0; i < gpas.Length; i++)
        {
            gpas[i] = random.Next() & (h.Pmap.GpaLimit - 1) & ~0xFFFUL;
            h.Enter(gpas[i], page, Prot.All, Prot.Read);
        }
        h.Check();
        Assert.That(h.Statistics.ResidentPages, Is.EqualTo(200));
        foreach (ulong gpa in gpas) h.Remove(gpa, PmapHarness.Page);
        h.Check();
        Assert.That(h.Statistics.TablePages, Is.EqualTo(1));
        h.AssertNothingLeaked(1);
    }
}
