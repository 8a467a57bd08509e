using System;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Physical;

/// <summary>Each form of zeroing and of the test for zero, one against the other.</summary>
[Category(Categories.Vectors)]
[TestFixture(Twin.Best)]
[TestFixture(Twin.Scalar)]
[TestFixture(Twin.Vector256)]
[TestFixture(Twin.Vector512)]
public sealed unsafe class PageZeroingTests(PageZeroingTests.Twin twin)
{
    private const int Page = (int)Paging.PageBytes;

    public enum Twin
    {
        Best,
        Scalar,
        Vector256,
        Vector512,
    }

    [SetUp]
    public void SkipWhatTheProcessorLacks()
    {
        if (twin == Twin.Vector256) Capability.RequireVector256();
        if (twin == Twin.Vector512) Capability.RequireVector512();
    }

    [TestCase(1)]
    [TestCase(3)]
    public void StreamingZeroesItsPagesAndNoByteBesides(int pages)
    {
        using NativeRegion region = NativeRegion.Map((nuint)(pages + 2) * Page);
        var bytes = new Span<byte>(region.Base, (pages + 2) * Page);
        bytes.Fill(0xFF);
        ZeroStreaming(region.Base + Page, pages);
        Shared.StoreFence();
        Assert.That(bytes[..Page].IndexOfAnyExcept((byte)0xFF), Is.EqualTo(-1));
        Assert.That(bytes.Slice(Page, pages * Page).IndexOfAnyExcept((byte)0), Is.EqualTo(-1));
        Assert.That(bytes[^Page..].IndexOfAnyExcept((byte)0xFF), Is.EqualTo(-1));
    }

    [Test]
    public void CachedZeroesItsPageAndNoByteBesides()
    {
        using NativeRegion region = NativeRegion.Map(3 * Page);
        var bytes = new Span<byte>(region.Base, 3 * Page);
        bytes.Fill(0xFF);
        PageZeroing.ZeroCached(region.Base + Page);
        Assert.That(bytes.Count((byte)0), Is.EqualTo(Page));
        Assert.That(IsZero(region.Base + Page), Is.True);
    }

    [Test]
    public void OneBitAnywhereIsFound()
    {
        using NativeRegion region = NativeRegion.Map(Page);
        Assert.That(IsZero(region.Base), Is.True);
        int missed = 0;
        for (int bit = 0; bit < Page * 8; bit += 3)
        {
            byte* at = region.Base + bit / 8;
            *at = (byte)(1 << (bit % 8));
            if (IsZero(region.Base)) missed++;
            *at = 0;
        }
        Assert.That(missed, Is.Zero);
    }

    private void ZeroStreaming(byte* first, int pages)
    {
        nuint bytes = (nuint)pages * Page;
        if (twin == Twin.Best) PageZeroing.ZeroStreaming(first, pages);
        else if (twin == Twin.Scalar) PageZeroing.ZeroStreamingScalar(first, bytes);
        else if (twin == Twin.Vector256) PageZeroing.ZeroStreaming256(first, bytes);
        else PageZeroing.ZeroStreaming512(first, bytes);
    }

    private bool IsZero(byte* page) => twin switch
    {
        Twin.Best => PageZeroing.IsZero(page),
        Twin.Scalar => PageZeroing.IsZeroScalar(page),
        Twin.Vector256 => PageZeroing.IsZero256(page),
        _ => PageZeroing.IsZero512(page),
    };
}
