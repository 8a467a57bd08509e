using System;
using System.Collections.Generic;
using System.Diagnostics;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Pagers;
using Pagoda.Physical;

namespace Pagoda.Tests.Pagers;

/// <summary>Round trips, and a pager against a dictionary of page contents.</summary>
public sealed unsafe class SwapPagerTests : SwapPagerFixture
{
    [Test]
    public void WhatWasWrittenIsRead()
    {
        var store = new MemorySwapStore(100);
        using var space = new SwapSpace(store);
        using var pager = new SwapPager(space, ObjectPages);
        ulong[] pages = [3, 4, 5, 9, 150];
        Fill(pages, version: 1);
        Assert.That(Write(pager, pages), Is.All.EqualTo(PagerStatus.Ok));
        Assert.That(store.Calls, Is.EqualTo(1), "a batch is one run of neighbours");
        Fill(pages, version: 99);
        Assert.That(Read(pager, pages), Is.All.EqualTo(PagerStatus.Ok));
        AssertContent(pages, version: 1);
        Assert.That(store.Calls, Is.EqualTo(2));
        Assert.That(space.ReadBytes, Is.EqualTo(5 * Paging.PageBytes));
        Assert.That(space.WriteBytes, Is.EqualTo(5 * Paging.PageBytes));
    }

    [Test]
    public void ShortTransfersAreContinued()
    {
        var store = new MemorySwapStore(70) { PagesAtOnce = 3 };
        using var space = new SwapSpace(store);
        using var pager = new SwapPager(space, ObjectPages);
        var pages = new ulong[SwapPager.ClusterMax];
        for (int i = 0; i < pages.Length; i++) pages[i] = (ulong)i * 3;
        Fill(pages, version: 1);
        Assert.That(Write(pager, pages), Is.All.EqualTo(PagerStatus.Ok));
        Assert.That(Read(pager, pages), Is.All.EqualTo(PagerStatus.Ok));
        AssertContent(pages, version: 1);
    }

    [Test]
    public void DisposingCostsWhatWasSwappedAndNotTheLength()
    {
        using var space = new SwapSpace(new MemorySwapStore(8));
        var pager = new SwapPager(space, 1UL << 32);
        ulong[] pages = [0, 1 << 20, (1UL << 32) - 1];
        Fill(pages, version: 1);
        Assert.That(Write(pager, pages), Is.All.EqualTo(PagerStatus.Ok));
        long started = Stopwatch.GetTimestamp();

        pager.Dispose();

        Assert.That(Stopwatch.GetElapsedTime(started), Is.LessThan(TimeSpan.FromSeconds(1)));
        Assert.That(space.Slots.Free, Is.EqualTo(8));
    }

    [Test]
    public void AgreesWithADictionary([Range(1, 5)] int seed)
    {
        var random = new Random(seed);
        var store = new MemorySwapStore(60) { PagesAtOnce = 5 };
        using var space = new SwapSpace(store);
        var pager = new SwapPager(space, ObjectPages);
        var model = new Dictionary<ulong, int>();       // page → version, 0 = zero page
        for (int step = 1; step <= 1_500; step++)
        {
            ulong[] pages = Pick(random);
            switch (random.Next(3))
            {
                case 0:
                    Fill(pages, step);
                    if (random.Next(4) == 0) Bytes(0).Clear();
                    bool first = PageZeroing.IsZero(Pointer(0));
                    PagerStatus[] written = Write(pager, pages);
                    for (int i = 0; i < pages.Length; i++)
                    {
                        bool full = written[i] == PagerStatus.Full;
                        if (full) Assert.That(space.Slots.Free, Is.Zero, $"seed {seed} step {step}");
                        else model[pages[i]] = i == 0 && first ? 0 : step;
                    }
                    break;
                case 1:
                    PagerStatus[] read = Read(pager, pages);
                    for (int i = 0; i < pages.Length; i++)
                    {
                        bool stored = model.TryGetValue(pages[i], out int version) && version != 0;
                        PagerStatus expected = stored ? PagerStatus.Ok : PagerStatus.Zero;
                        Assert.That(read[i], Is.EqualTo(expected), $"seed {seed} step {step}");
                        if (stored) AssertContent(i, pages[i], version);
                    }
                    break;
                default:
                    pager.Discard(pages);
                    foreach (ulong page in pages) model.Remove(page);
                    break;
            }
        }
        pager.Dispose();
        Assert.That(space.Slots.Free, Is.EqualTo(60), $"seed {seed}: every slot is back");
    }

    private static ulong[] Pick(Random random)
    {
        var pages = new SortedSet<ulong>();
        int count = random.Next(1, 20);
        while (pages.Count < count) pages.Add((ulong)random.Next(ObjectPages));
        return [.. pages];
    }
}
