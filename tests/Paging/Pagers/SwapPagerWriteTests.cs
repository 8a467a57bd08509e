using NUnit.Framework;
using Pagoda.Pagers;

namespace Pagoda.Tests.Pagers;

/// <summary>Zero pages, failed writes and a full store: nothing is lost, no slot leaks.</summary>
public sealed class SwapPagerWriteTests : SwapPagerFixture
{
    [Test]
    public void ZeroPagesTakeNoSlotAndNoTransfer()
    {
        var store = new MemorySwapStore(10);
        using var space = new SwapSpace(store);
        using var pager = new SwapPager(space, ObjectPages);
        ulong[] pages = [7];
        Fill(pages, version: 1);
        Write(pager, pages);
        Bytes(0).Clear();
        int calls = store.Calls;
        Assert.That(Write(pager, pages), Is.All.EqualTo(PagerStatus.Zero));
        Assert.That(Read(pager, pages), Is.All.EqualTo(PagerStatus.Zero));
        Assert.That(store.Calls, Is.EqualTo(calls));
        Assert.That(space.ZeroPagesElided, Is.EqualTo(1));
        Assert.That(space.Slots.Free, Is.EqualTo(10), "its old slot is free again");
    }

    [Test]
    public void AFailedWriteLosesNoNeighbour([Values(MemorySwapStore.Eio, MemorySwapStore.Enospc)] int errno)
    {
        var store = new MemorySwapStore(10);
        using var space = new SwapSpace(store);
        using var pager = new SwapPager(space, ObjectPages);
        ulong[] pages = [1, 2, 3];
        store.BadWrites.Add(2, errno);
        Fill(pages, version: 1);
        PagerStatus status = errno == MemorySwapStore.Enospc ? PagerStatus.Full : PagerStatus.Error;
        Assert.That(Write(pager, pages), Is.EqualTo(new[] { PagerStatus.Ok, status, PagerStatus.Ok }));
        Assert.That(space.Slots.Free, Is.EqualTo(8));
        Assert.That(pager.SlotOf(2), Is.Zero);
    }

    [Test]
    public void AFullStoreSaysSoAndLosesNothing()
    {
        var store = new MemorySwapStore(2);
        using var space = new SwapSpace(store);
        using var pager = new SwapPager(space, ObjectPages);
        ulong[] pages = [1, 2, 3];
        Fill(pages, version: 1);
        Assert.That(Write(pager, pages), Is.EqualTo(new[] { PagerStatus.Ok, PagerStatus.Ok, PagerStatus.Full }));
        // A dirty page that has a slot can always be written over its own.
        Fill(pages, version: 2);
        Assert.That(Write(pager, pages), Is.EqualTo(new[] { PagerStatus.Ok, PagerStatus.Ok, PagerStatus.Full }));
        Assert.That(Read(pager, [1, 2]), Is.All.EqualTo(PagerStatus.Ok));
        AssertContent([1, 2], version: 2);
        pager.Discard([1]);
        Assert.That(space.Slots.Free, Is.EqualTo(1));
    }
}
