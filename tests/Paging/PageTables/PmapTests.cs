using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;
using Pagoda.Physical;

namespace Pagoda.Tests.PageTables;

public sealed class PmapTests
{
    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void AnEmptyTreeMapsNothing(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        h.Check();
        Assert.That(h.Statistics.TablePages, Is.EqualTo(1));
        Assert.That(h.Pmap.RootRegister, Is.EqualTo(h.Pmap.Format.RootRegister(h.Pmap.RootHpa)));
        Assert.That(h.Pmap.GpaLimit, Is.EqualTo(1UL << 48));
        Assert.That(h.Arena.Frames.StateOf((uint)(h.Pmap.RootHpa >> 12)), Is.EqualTo(FrameState.Table));
        Assert.That(h.Access(0x1000, Prot.Read), Is.False);
        h.RemoveAll();
        h.AssertNothingLeaked(0);
    }

    [Test]
    public void DisposeGivesEveryTableBackWhateverIsMapped()
    {
        using var h = new PmapHarness(Formats.EptEmulated);
        ulong pages = h.TakePages(9);
        var wired = new LeafRequest(Prot.All, Prot.Read, wired: true);
        Assert.That(h.EnterSuperpage(PmapHarness.Giga, pages, 2, wired), Is.EqualTo(PmapStatus.Ok));
        Assert.That(h.EnterRun(5UL << 39, pages, 512, wired, out _), Is.EqualTo(PmapStatus.Ok));
        Assert.That(h.Statistics.TablePages, Is.EqualTo(6));
        h.AssertNothingLeaked(512);
    }

    [Test]
    public void RefusesAnAddressWidthBelowTheArenas()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 1UL << 20, PhysBits = 46 });
        Assert.That(() => new Pmap(arena, new PmapOptions { PhysBits = 40 }),
            Throws.ArgumentException.With.Message.Contains("46"));
    }

    [Test]
    public void TakesTheAddressWidthOfTheArena()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 1UL << 20, PhysBits = 39 });
        using var pmap = new Pmap(arena, new PmapOptions { ExecOnly = true, Levels = 5 });
        Assert.That(pmap.Format.PhysBits, Is.EqualTo(39));
        Assert.That(pmap.Format.ExecOnly, Is.True);
        Assert.That(pmap.GpaLimit, Is.EqualTo(1UL << 57));
    }

    [Test]
    public void SaysSoWhenThereIsNoFrameForTheRoot()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 1UL << 20 });
        arena.Allocator.TestHookFailAfter = 0;
        Assert.That(() => new Pmap(arena, new PmapOptions()), Throws.TypeOf<System.InsufficientMemoryException>());
    }
}
