using NUnit.Framework;
using Pagoda.Pagers;

namespace Pagoda.Tests.Pagers;

/// <summary>A page that cannot be read, or is not what was written, is lost alone.</summary>
public sealed class SwapPagerReadTests : SwapPagerFixture
{
    [Test]
    public void AFlippedBitLosesItsPageAlone([Values(0, 1, 12_345, 32_767)] int bit)
    {
        var store = new MemorySwapStore(10);
        using var space = new SwapSpace(store);
        using var pager = new SwapPager(space, ObjectPages);
        ulong[] pages = [1, 2, 3];
        Fill(pages, version: 1);
        Write(pager, pages);
        store.Flip(pager.SlotOf(2), bit);
        PagerStatus[] status = Read(pager, pages);
        Assert.That(status, Is.EqualTo(new[] { PagerStatus.Ok, PagerStatus.Error, PagerStatus.Ok }));
        Assert.That(space.ChecksumErrors, Is.EqualTo(1));
    }

    [Test]
    public void AFailedReadLosesItsPageAlone()
    {
        var store = new MemorySwapStore(10);
        using var space = new SwapSpace(store);
        using var pager = new SwapPager(space, ObjectPages);
        ulong[] pages = [1, 2, 3, 4];
        Fill(pages, version: 1);
        Write(pager, pages);
        store.BadReads.Add(pager.SlotOf(2));
        Assert.That(Read(pager, pages),
            Is.EqualTo(new[] { PagerStatus.Ok, PagerStatus.Error, PagerStatus.Ok, PagerStatus.Ok }));
    }
}
