using System;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Pagers;
using Pagoda.Physical;

namespace Pagoda.Tests.Pagers;

/// <summary>An arena and the frames of one batch, with contents that name their page and version.</summary>
public abstract unsafe class SwapPagerFixture
{
    private protected const int ObjectPages = 200;
    private Arena _arena = null!;
    private uint[] _frames = null!;

    [SetUp]
    public void SetUp()
    {
        _arena = new Arena(new ArenaOptions { Bytes = Paging.WindowBytes });
        _frames = new uint[SwapPager.ClusterMax];
        for (int i = 0; i < _frames.Length; i++) _frames[i] = _arena.Allocator.TryTake(0);
    }

    [TearDown]
    public void TearDown() => _arena.Dispose();

    private protected byte* Pointer(int lane) => _arena.DirectMap((ulong)_frames[lane] << Paging.PageShift);

    private protected Span<byte> Bytes(int lane) => new(Pointer(lane), (int)Paging.PageBytes);

    private protected void Fill(ulong[] pages, int version)
    {
        for (int lane = 0; lane < pages.Length; lane++)
        {
            new Random(HashCode(pages[lane], version)).NextBytes(Bytes(lane));
        }
    }

    private protected void AssertContent(ulong[] pages, int version)
    {
        for (int lane = 0; lane < pages.Length; lane++) AssertContent(lane, pages[lane], version);
    }

    private protected void AssertContent(int lane, ulong page, int version)
    {
        var expected = new byte[Paging.PageBytes];
        new Random(HashCode(page, version)).NextBytes(expected);
        Assert.That(Bytes(lane).SequenceEqual(expected), $"page {page} version {version}");
    }

    private static int HashCode(ulong page, int version) => (int)page * 100_003 + version;

    private protected PagerStatus[] Write(SwapPager pager, ulong[] pages)
    {
        var status = new PagerStatus[pages.Length];
        pager.Write(new PagerBatch(_arena.Base, pages, _frames.AsSpan(0, pages.Length), status));
        return status;
    }

    private protected PagerStatus[] Read(SwapPager pager, ulong[] pages)
    {
        var status = new PagerStatus[pages.Length];
        pager.Read(new PagerBatch(_arena.Base, pages, _frames.AsSpan(0, pages.Length), status));
        return status;
    }
}
