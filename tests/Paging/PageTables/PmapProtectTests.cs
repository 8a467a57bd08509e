using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;

namespace Pagoda.Tests.PageTables;

public sealed class PmapProtectTests
{
    private const ulong Gpa = 0x7000;

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void TakesEveryRightThatMayNotStayAndGivesNone(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        ulong page = h.TakePages(0);
        PteFormat f = h.Pmap.Format;
        for (int before = 1; before < 8; before++)
        {
            if (!f.CanExpress((Prot)before)) continue;
            for (int keep = 0; keep < 8; keep++)
            {
                h.Enter(Gpa, page, (Prot)before, (Prot)before & ~Prot.Execute);
                ulong old = h.Entry(Gpa);
                h.Protect(Gpa, PmapHarness.Page, (Prot)keep);
                Prot left = (Prot)(before & keep);
                ulong entry = h.Entry(Gpa);
                bool removed = (Prot)keep != Prot.All && (!f.CanExpress((Prot)keep) || left == Prot.None);
                Assert.That(entry == 0, Is.EqualTo(removed), $"{(Prot)before} & {(Prot)keep}");
                if (!removed)
                {
                    Assert.That(f.ProtOf(entry), Is.EqualTo(left));
                    bool told = h.Log.Changes.Count != 0;
                    bool mayBeCached = f.EmulatesAd && (keep & 2) == 0;
                    Assert.That(told, Is.EqualTo(left != (Prot)before || mayBeCached));
                    if (told) Assert.That(h.Log.Changes[0], Is.EqualTo((Gpa, old, 1)));
                }
                if ((old & f.Modified) != 0 && (entry & f.Modified) == 0)
                    Assert.That(h.Arena.Frames.TakeDirty((uint)(page >> 12)), Is.True);
                h.Check();
                h.Remove(Gpa, PmapHarness.Page);
            }
        }
    }

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void AWholeSuperpageIsChangedInPlace(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        ulong pages = h.TakePages(9);
        h.EnterSuperpage(0, pages, 2, new LeafRequest(Prot.All, Prot.Write));
        h.Protect(0, PmapHarness.Mega2, Prot.ReadExecute);
        Assert.That(h.LevelOf(0), Is.EqualTo(2));
        Assert.That(h.Log.Changes, Has.Count.EqualTo(1));
        for (uint i = 0; i < 512; i++) Assert.That(h.Arena.Frames.IsDirty((uint)(pages >> 12) + i), Is.True);
        h.Check();
        h.Protect(0, PmapHarness.Mega2, Prot.None);
        h.Check();
        Assert.That(h.Statistics.TablePages, Is.EqualTo(1));
    }

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void APartOfASuperpageIsDemotedOnlyIfItWouldChange(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        ulong pages = h.TakePages(9);
        h.EnterSuperpage(0, pages, 2, new LeafRequest(Prot.ReadExecute, Prot.Read));
        h.Protect(0x3000, 0x2000, Prot.ReadExecute);
        Assert.That(h.LevelOf(0), Is.EqualTo(2));
        Assert.That(h.Log.Changes, Has.Count.EqualTo(h.Pmap.Format.EmulatesAd ? 1 : 0));
        h.Check();
        h.Protect(0x3000, 0x2000, Prot.Read);
        Assert.That(h.LevelOf(0), Is.EqualTo(1));
        Assert.That(h.Log.Changes, Has.Count.EqualTo(2));
        Assert.That(h.Access(0x3000, Prot.Execute), Is.False);
        Assert.That(h.Access(0x5000, Prot.Execute), Is.True);
        h.Check();
    }

    [Test]
    public void EveryPartOfASuperpage([Values(0, 1, 255, 510, 511)] int first, [Values(1, 2, 511, 512)] int count)
    {
        if (first + count > 512) return;
        using var h = new PmapHarness(Formats.EptEmulated);
        ulong pages = h.TakePages(9);
        h.EnterSuperpage(0, pages, 2, new LeafRequest(Prot.All, Prot.Write));
        h.Protect((ulong)first << 12, (ulong)count << 12, Prot.ReadWrite);
        for (int i = 0; i < 512; i++)
        {
            bool inside = i >= first && i < first + count;
            Assert.That(h.Pmap.Format.ProtOf(h.Entry((ulong)i << 12)), Is.EqualTo(inside ? Prot.ReadWrite : Prot.All));
        }
        Assert.That(h.LevelOf(0), Is.EqualTo(count == 512 ? 2 : 1));
        h.Check();
    }

    [Test]
    public void AllRightsChangeNothing()
    {
        using var h = new PmapHarness(Formats.Ept);
        h.Enter(Gpa, h.TakePages(0), Prot.All, Prot.Write);
        ulong entry = h.Entry(Gpa);
        h.Protect(0, PmapHarness.Mega2, Prot.All);
        Assert.That(h.Entry(Gpa), Is.EqualTo(entry));
        Assert.That(h.Log.Changes, Is.Empty);
    }

    [Test]
    public void AWriteRightThatATlbMayStillKnowIsTold()
    {
        using var h = new PmapHarness(Formats.EptEmulated);
        ulong page = h.TakePages(0);
        h.Enter(Gpa, page, Prot.All, Prot.Write);
        h.Pmap.ClearReferenced(Gpa, out _);
        h.RemoveWrite(Gpa, PmapHarness.Page);
        h.Log.Release();
        h.Protect(Gpa, PmapHarness.Page, Prot.ReadExecute);
        Assert.That(h.Log.Changes, Has.Count.EqualTo(1), "the entry has no write right, a TLB may");
    }
}
