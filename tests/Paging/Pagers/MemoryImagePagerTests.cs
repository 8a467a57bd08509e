using System;
using NUnit.Framework;
using Pagoda.Pagers;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Pagers;

public sealed unsafe class MemoryImagePagerTests
{
    [Test]
    public void TheImageIsFollowedByZeros()
    {
        using var memory = new GuardedRegion(4 * 4096, 4096);
        memory.Bytes.Fill(0xEE);
        byte[] image = new byte[4096 + 3];
        for (int i = 0; i < image.Length; i++) image[i] = (byte)(i + 1);
        using var pager = new MemoryImagePager(image);
        System.Array.Clear(image);
        var status = new PagerStatus[3];
        pager.Read(new PagerBatch(memory.Base, [0, 1, 2], [3, 1, 2], status));
        Assert.That(status, Is.EqualTo(new[] { PagerStatus.Ok, PagerStatus.Ok, PagerStatus.Zero }));
        Assert.That(memory.Bytes[3 * 4096], Is.EqualTo(1));
        Assert.That(memory.Bytes[3 * 4096 + 9], Is.EqualTo(10));
        Assert.That(memory.Bytes.Slice(4096, 4).ToArray(), Is.EqualTo(new byte[] { 1, 2, 3, 0 }));
        Assert.That(memory.Bytes[2 * 4096 - 1], Is.Zero);
        pager.Write(new PagerBatch(memory.Base, [0], [1], status.AsSpan(0, 1)));
        Assert.That(status[0], Is.EqualTo(PagerStatus.Error));
    }

    [Test]
    public void AnEmptyImageIsAllZero()
    {
        using var pager = new MemoryImagePager([]);
        var status = new PagerStatus[1];
        pager.Read(new PagerBatch(null, [0], [1], status));
        Assert.That(status[0], Is.EqualTo(PagerStatus.Zero));
        pager.Dispose();
    }
}
