using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.PageTables;

[Category(Categories.Vectors)]
public sealed class PmapRangeTests
{
    private static readonly LeafRequest s_write = new(Prot.All, Prot.Write);

    [Test]
    public void RangesEndWhereTheyEnd([Values(0, 1, 511, 512, 513)] int before,
        [Values(1, 511, 512, 513, 1024)] int count)
    {
        using var h = new PmapHarness(Formats.Ept);
        ulong pages = h.TakePages(11);
        h.EnterRun(PmapHarness.Giga - PmapHarness.Mega2, pages, 2048, s_write, out _);
        ulong from = PmapHarness.Giga - PmapHarness.Mega2 + ((ulong)before << 12);
        h.Remove(from, (ulong)count << 12);
        h.Check();
        for (ulong i = 0; i < 2048; i++)
        {
            bool gone = i >= (ulong)before && i < (ulong)(before + count);
            Assert.That(h.Entry(PmapHarness.Giga - PmapHarness.Mega2 + (i << 12)) == 0, Is.EqualTo(gone));
        }
        Assert.That(h.Statistics.ResidentPages, Is.EqualTo(2048 - count));
    }

    [Test]
    public void AnEmptyRangeDoesNothing()
    {
        using var h = new PmapHarness(Formats.Ept);
        h.Enter(0, h.TakePages(0), Prot.All, Prot.Read);
        h.Remove(0, 0);
        h.Protect(0, 0, Prot.None);
        Assert.That(h.Pmap.Wire(0, 0, Prot.All, h.Cache, out ulong done), Is.EqualTo(PmapStatus.Ok));
        Assert.That(done, Is.Zero);
        Assert.That(h.Entry(0), Is.Not.Zero);
    }

    [Test]
    public void UnalignedRangesAreRefused()
    {
        using var h = new PmapHarness(Formats.Ept);
        Assert.That(() => h.Remove(0x10, 0x1000), Throws.TypeOf<InvariantException>());
        Assert.That(() => h.Remove(0, 0x10), Throws.TypeOf<InvariantException>());
        Assert.That(() => h.HarvestReferenced(0x10, 0x1000, false, out _), Throws.TypeOf<InvariantException>());
    }
}
