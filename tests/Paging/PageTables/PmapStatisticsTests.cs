using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;

namespace Pagoda.Tests.PageTables;

public sealed class PmapStatisticsTests
{
    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void CountsWhatIsMapped(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        ulong pages = h.TakePages(9);
        h.EnterRun(0, pages, 7, new LeafRequest(Prot.All, Prot.Read), out _);
        h.EnterSuperpage(PmapHarness.Mega2, pages, 2, new LeafRequest(Prot.All, Prot.Read, wired: true));
        h.EnterSuperpage(PmapHarness.Giga, 1UL << 45, 3, new LeafRequest(Prot.All, Prot.Read, managed: false));
        PmapStatistics statistics = h.Statistics;
        Assert.That(statistics.ResidentPages, Is.EqualTo(7 + 512 + 512 * 512));
        Assert.That(statistics.WiredPages, Is.EqualTo(512));
        Assert.That(statistics.Superpages, Is.EqualTo(1));
        Assert.That(statistics.Gigapages, Is.EqualTo(1));
        Assert.That(statistics.TablePages, Is.EqualTo(4));
        Assert.That(statistics.ReservePages, Is.EqualTo(1));
        Assert.That(statistics.Demotions, Is.Zero);
        Assert.That(statistics.Promotions, Is.Zero);
        Assert.That(statistics.FailedPromotions, Is.Zero);
    }
}
