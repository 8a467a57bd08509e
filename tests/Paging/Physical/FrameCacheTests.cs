using System;
using System.Collections.Generic;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Physical;

public sealed unsafe class FrameCacheTests
{
    [Test]
    public void ManyCachesTogetherLoseNoFrameAndGiveNoneOutTwice()
    {
        const uint Frames = 400;
        var random = new SeededGenerator(0xCAC4E);
        using Arena arena = TestArena.Of(Frames);
        FrameCache[] caches = [new(arena), new(arena), new(arena)];
        var owned = new List<uint>();
        var seen = new HashSet<uint>();
        int dry = 0;
        for (int step = 0; step < 20_000; step++)
        {
            FrameCache cache = caches[random.Below(caches.Length)];
            if (random.Below(100) < 53)
            {
                if (!cache.TryTake(out uint pfn))
                {
                    Assert.That(pfn, Is.Zero);
                    dry++;
                    continue;
                }
                Assert.That(seen.Add(pfn), Is.True, random.ToString());
                Assert.That(arena.Frames.StateOf(pfn), Is.EqualTo(FrameState.Zeroed), random.ToString());
                Assert.That(PageZeroing.IsZero(TestArena.Page(arena, pfn)), Is.True, random.ToString());
                owned.Add(pfn);
                if (random.OneIn(2))
                {
                    arena.Frames.ToPage(pfn, 1, 1);
                    *TestArena.Page(arena, pfn) = 0x77;
                }
            }
            else if (owned.Count > 0)
            {
                int at = random.Below(owned.Count);
                uint pfn = owned[at];
                owned[at] = owned[^1];
                owned.RemoveAt(owned.Count - 1);
                seen.Remove(pfn);
                cache.Give(pfn);
            }
            if (random.OneIn(500)) cache.Drain();
        }
        Assert.That(dry, Is.GreaterThan(10));
        foreach (uint pfn in owned) caches[0].Give(pfn);
        foreach (FrameCache cache in caches) cache.Dispose();
        arena.Zeroed.Drain();
        Assert.That(arena.Allocator.FreeFrames, Is.EqualTo(Frames - 1), random.ToString());
        arena.Allocator.CheckConsistency();
    }

    [Test]
    public void AnEmptyArenaIsFalseAndNeverAWait()
    {
        using Arena arena = TestArena.Of(16);
        using var cache = new FrameCache(arena);
        TestArena.TakeAll(arena);
        Assert.That(cache.TryTake(out uint pfn), Is.False);
        Assert.That(pfn, Is.Zero);
        Assert.That(cache.Reserve(4), Is.Zero);
    }

    [Test]
    public void ReserveFindsTheLastFramesAndSaysHowMany()
    {
        using Arena arena = TestArena.Of(16);
        using var cache = new FrameCache(arena);
        Assert.That(cache.Reserve(10), Is.EqualTo(10));
        Assert.That(cache.Reserve(20), Is.EqualTo(15));
        Assert.That(cache.Reserve(3), Is.EqualTo(15));
        Assert.That(arena.Allocator.FreeFrames, Is.Zero);
    }

    [Test]
    public void ARefillLeavesMostOfASmallArenaToOthers()
    {
        using Arena arena = TestArena.Of(65);
        using var cache = new FrameCache(arena);
        Assert.That(cache.TryTake(out uint pfn), Is.True);
        Assert.That(cache.Count, Is.EqualTo(3));
        cache.Give(pfn);
        Assert.That(cache.Count, Is.EqualTo(4));
    }

    [Test]
    public void AFullCacheSpillsAndKeepsTheRest()
    {
        using Arena arena = TestArena.Of(2_000);
        using var cache = new FrameCache(arena);
        Assert.That(cache.Reserve(FrameCache.Capacity), Is.EqualTo(FrameCache.Capacity));
        uint pfn;
        Assert.That(arena.Zeroed.TryTake(&pfn, 1), Is.EqualTo(1));
        cache.Give(pfn);
        Assert.That(cache.Count, Is.EqualTo(FrameCache.Capacity - FrameCache.RefillMax + 1));
        Assert.That(arena.Zeroed.Stock, Is.EqualTo(FrameCache.RefillMax));
        var seen = new HashSet<uint>();
        while (cache.Count > 0)
        {
            Assert.That(cache.TryTake(out uint taken), Is.True);
            Assert.That(seen.Add(taken), Is.True);
        }
        Assert.That(seen, Does.Contain(pfn));
        uint* spilt = stackalloc uint[FrameCache.RefillMax];
        Assert.That(arena.Zeroed.TryTake(spilt, FrameCache.RefillMax), Is.EqualTo(FrameCache.RefillMax));
        for (int i = 0; i < FrameCache.RefillMax; i++) Assert.That(seen.Add(spilt[i]), Is.True);
    }

    [Test]
    public void TakingAndGivingAllocatesNothing()
    {
        using Arena arena = TestArena.Of(2_000);
        using var cache = new FrameCache(arena);
        long before = 0;
        for (int round = 0; round < 3_000; round++)
        {
            if (round == 1_000) before = GC.GetAllocatedBytesForCurrentThread();
            if (cache.TryTake(out uint pfn)) arena.Allocator.Give(pfn, 0);
        }
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }
}
