using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;
using Pagoda.Physical;

namespace Pagoda.Tests.PageTables;

public sealed class PmapLookupTests
{
    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void FindsPagesAndSuperpagesWithTheirOffset(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        ulong pages = h.TakePages(9);
        h.Enter(0x7000, pages + 0x3000, Prot.ReadWrite, Prot.Read);
        h.EnterSuperpage(PmapHarness.Mega2, pages, 2, new LeafRequest(Prot.ReadExecute, Prot.Read));
        Assert.That(h.Pmap.TryExtract(0x7123, Prot.Read, out ulong hpa), Is.True);
        Assert.That(hpa, Is.EqualTo(pages + 0x3123));
        Assert.That(h.Pmap.TryExtract(0x7123, Prot.ReadWrite, out _), Is.True);
        Assert.That(h.Pmap.TryExtract(0x7123, Prot.Execute, out hpa), Is.False);
        Assert.That(hpa, Is.Zero);
        Assert.That(h.Pmap.TryExtract(PmapHarness.Mega2 + 0x12345, Prot.ReadExecute, out hpa), Is.True);
        Assert.That(hpa, Is.EqualTo(pages + 0x12345));
        Assert.That(h.Pmap.TryExtract(PmapHarness.Mega2, Prot.Write, out _), Is.False);
        Assert.That(h.Pmap.TryExtract(0x8000, Prot.None, out _), Is.False);
        Assert.That(h.Pmap.TryExtract(h.Pmap.GpaLimit + 0x7000, Prot.None, out _), Is.False);
        Assert.That(h.Pmap.TryExtract(ulong.MaxValue, Prot.None, out _), Is.False);
        Assert.That(h.LevelOf(0x7000), Is.EqualTo(1));
        Assert.That(h.LevelOf(PmapHarness.Mega2), Is.EqualTo(2));
        Assert.That(h.Pmap.Lookup(PmapHarness.Giga, out int level), Is.Zero);
        Assert.That(level, Is.EqualTo(3));
    }

    [TestCase(4)]
    [TestCase(5)]
    public void MappingsAreReadFromTheTopDown(int levels)
    {
        var options = new PmapOptions { Levels = levels, PhysBits = Formats.PhysBits };
        using var h = new PmapHarness(options);
        ulong pages = h.TakePages(9);
        var entries = new ulong[5];
        Assert.That(h.Pmap.GetMapping(0x7000, entries), Is.EqualTo(1));
        Assert.That(entries[0], Is.Zero);
        h.EnterSuperpage(PmapHarness.Mega2, pages, 2, new LeafRequest(Prot.All, Prot.Read));
        Assert.That(h.Pmap.GetMapping(PmapHarness.Mega2, entries), Is.EqualTo(levels - 1));
        Assert.That(h.Pmap.GetMapping(0x7000, entries), Is.EqualTo(levels - 1));
        Assert.That(h.Pmap.GetMapping(PmapHarness.Giga, entries), Is.EqualTo(levels - 2));
        h.Enter(0x7000, pages, Prot.All, Prot.Read);
        Assert.That(h.Pmap.GetMapping(0x7000, entries), Is.EqualTo(levels));
        Assert.That(entries[levels - 1], Is.EqualTo(h.Entry(0x7000)));
        Assert.That(entries[0] & 0xFFF, Is.EqualTo(0x307));
        WalkResult walk = h.Walk(0x7000, Prot.Read);
        for (int i = 0; i < levels; i++) Assert.That(entries[i], Is.EqualTo(walk.Entries[i]));
    }

    [Test]
    public void TheLockIsNotPartOfWhatIsFound()
    {
        using var h = new PmapHarness(Formats.Ept);
        ulong pages = h.TakePages(9);
        h.EnterSuperpage(0, pages, 2, new LeafRequest(Prot.All, Prot.Read));
        ulong free = h.Entry(0);
        Assert.That(h.Pmap.LockWindow(0, h.Cache, out WindowLock window), Is.EqualTo(PmapStatus.Ok));
        var entries = new ulong[4];
        Assert.That(h.Entry(0), Is.EqualTo(free));
        Assert.That(h.Pmap.GetMapping(0, entries), Is.EqualTo(3));
        Assert.That(entries[2], Is.EqualTo(free));
        Assert.That(h.Access(0x1000, Prot.Read), Is.True, "hardware ignores the lock");
        h.Pmap.Unlock(window);
        h.Check();
    }
}
