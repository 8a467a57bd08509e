using NUnit.Framework;
using Pagoda.Pagers;

namespace Pagoda.Tests.Pagers;

public sealed unsafe class ZeroFillPagerTests
{
    [Test]
    public void EveryPageIsZeroAndNothingCanBeStored()
    {
        var status = new PagerStatus[2];
        ZeroFillPager.Instance.Read(new PagerBatch(null, [1, 2], [3, 4], status));
        Assert.That(status, Is.All.EqualTo(PagerStatus.Zero));
        ZeroFillPager.Instance.Write(new PagerBatch(null, [1, 2], [3, 4], status));
        Assert.That(status, Is.All.EqualTo(PagerStatus.Error));
        Assert.That(() => ZeroFillPager.Instance.Discard([1]), Throws.Nothing);
    }
}
