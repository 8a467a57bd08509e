using System;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Physical;

[Category(Categories.Vectors)]
public sealed unsafe class ZeroedPoolTests
{
    private const uint Frames = 301;

    [Test]
    public void RecycledFramesAreZeroedAndFreshOnesAreToo()
    {
        using Arena arena = TestArena.Of(Frames);
        uint* pfns = stackalloc uint[(int)Frames];
        for (int round = 0; round < 3; round++)
        {
            Assert.That(arena.Zeroed.TryTake(pfns, (int)Frames), Is.EqualTo(Frames - 1));
            for (int i = 0; i < Frames - 1; i++)
            {
                Assert.That(arena.Frames.StateOf(pfns[i]), Is.EqualTo(FrameState.Zeroed));
                byte* page = TestArena.Page(arena, pfns[i]);
                Assert.That(PageZeroing.IsZero(page), Is.True);
                new Span<byte>(page, (int)Paging.PageBytes).Fill(0xBB);
                arena.Frames.ToPage(pfns[i], 1, (uint)i);
            }
            arena.Allocator.GiveBatch(pfns, (int)Frames - 1);
        }
        arena.Allocator.CheckConsistency();
    }

    [Test]
    public void FillZeroesAheadUntilNothingIsFree()
    {
        using Arena arena = TestArena.Of(Frames);
        Assert.That(arena.Zeroed.Fill(100), Is.EqualTo(100));
        Assert.That(arena.Zeroed.Fill(100), Is.Zero);
        Assert.That(arena.Zeroed.Stock, Is.EqualTo(100));
        Assert.That(arena.Zeroed.Fill(1_000), Is.EqualTo(Frames - 1 - 100));
        Assert.That(arena.Allocator.FreeFrames, Is.Zero);
        uint* pfns = stackalloc uint[(int)Frames];
        Assert.That(arena.Zeroed.TryTake(pfns, (int)Frames), Is.EqualTo(Frames - 1));
        Assert.That(arena.Zeroed.Stock, Is.Zero);
    }

    [Test]
    public void WhatIsDrainedIsStillKnownToBeZero()
    {
        using Arena arena = TestArena.Of(Frames);
        uint* pfns = stackalloc uint[8];
        for (int i = 0; i < 8; i++)
        {
            pfns[i] = arena.Allocator.TryTake(0);
            *TestArena.Page(arena, pfns[i]) = 1;
        }
        arena.Allocator.GiveBatch(pfns, 8);
        arena.Zeroed.Fill((int)Frames);
        Assert.That(arena.Zeroed.Drain(), Is.EqualTo(Frames - 1));
        Assert.That(arena.Allocator.FreeFrames, Is.EqualTo(Frames - 1));
        Assert.That(arena.Allocator.TryTake(7, out bool knownZero), Is.Not.Zero);
        Assert.That(knownZero, Is.True);
    }

    [Test]
    public void PastTheMostFramesGoOnToTheAllocator()
    {
        using Arena arena = TestArena.Of(ZeroedPool.StockMax + 100);
        Assert.That(arena.Zeroed.Fill(ZeroedPool.StockMax + 50), Is.EqualTo(ZeroedPool.StockMax));
        uint* pfns = stackalloc uint[4];
        Assert.That(arena.Allocator.TryTakeBatch(pfns, 4, out ulong knownZero), Is.EqualTo(4));
        Assert.That(knownZero, Is.EqualTo(0xF));
        for (int i = 0; i < 4; i++) arena.Frames.ToZeroed(pfns[i]);
        arena.Zeroed.Give(pfns, 4);
        Assert.That(arena.Zeroed.Stock, Is.EqualTo(ZeroedPool.StockMax));
        Assert.That(arena.Allocator.FreeFrames, Is.EqualTo(99));
    }

    [Test]
    public void AFrameThatIsNotZeroedCannotBeGiven()
    {
        using Arena arena = TestArena.Of(Frames);
        uint pfn = arena.Allocator.TryTake(0);
        Assert.That(() =>
        {
            uint given = pfn;
            arena.Zeroed.Give(&given, 1);
        }, Throws.TypeOf<InvariantException>());
    }
}
