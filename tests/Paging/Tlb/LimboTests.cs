using System.Collections.Generic;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Physical;
using Pagoda.Tlb;

namespace Pagoda.Tests.Tlb;

/// <summary>Nothing leaves limbo before every consumer let it go, and everything does afterwards.</summary>
public sealed class LimboTests
{
    private const int Consumers = 3;
    private Arena _arena = null!;
    private ConsumerTable _table = null!;
    private Limbo _limbo = null!;

    [SetUp]
    public void SetUp()
    {
        _arena = new Arena(new ArenaOptions { Bytes = 4 * Core.Paging.WindowBytes });
        _table = new ConsumerTable(Consumers);
        for (int i = 0; i < Consumers; i++) Assert.That(_table.TryRegister(out _));
        _limbo = new Limbo(_arena, _table);
    }

    [TearDown]
    public void TearDown()
    {
        _limbo.Dispose();
        _table.Dispose();
        _arena.Dispose();
    }

    [Test]
    public void AFrameWaitsForTheConsumerThatWasInside()
    {
        ulong free = _arena.Allocator.FreeFrames;
        uint pfn = TakePage();
        Assert.That(_table.EnterWalker(0));
        Unlink(pfn);
        Assert.That(_limbo.Recycle(), Is.Zero);
        Assert.That(_arena.Frames.StateOf(pfn), Is.EqualTo(FrameState.Limbo));
        // One that enters now cannot have found the frame, and holds nothing back.
        Assert.That(_table.EnterWalker(1));
        _table.Exit(0);
        Assert.That(_limbo.Recycle(), Is.EqualTo(1));
        _table.Exit(1);
        Assert.That(_limbo.Count, Is.Zero);
        Assert.That(_arena.Allocator.FreeFrames, Is.EqualTo(free));
    }

    [Test]
    public void AHeldFrameIsFreedByItsLastRelease()
    {
        ulong free = _arena.Allocator.FreeFrames;
        uint pfn = TakePage();
        _arena.Frames.AddHold(pfn);
        _arena.Frames.AddHold(pfn);
        Unlink(pfn);
        Assert.That(_limbo.Recycle(), Is.EqualTo(1));
        Assert.That(_arena.Allocator.FreeFrames, Is.EqualTo(free - 1));
        Assert.That(_arena.Frames.ReleaseHold(pfn), Is.False);
        Assert.That(_arena.Frames.ReleaseHold(pfn));
        _arena.Allocator.Give(pfn, 0);
        Assert.That(_arena.Allocator.FreeFrames, Is.EqualTo(free));
    }

    [TestCase(1UL << 31)]
    [TestCase((1UL << 31) + 5)]
    [TestCase(1UL << 32)]
    [TestCase((1UL << 40) + 3)]
    public void AConsumerFarBehindHoldsEveryTagBack(ulong generations)
    {
        Assert.That(_table.EnterWalker(0));
        uint early = TakePage();
        Unlink(early);
        _table.TestHookSkipGenerations(generations);
        uint late = TakePage();
        Unlink(late);
        Assert.That(_limbo.Recycle(), Is.Zero);
        _table.Exit(0);
        Assert.That(_limbo.Recycle(), Is.EqualTo(2));
    }

    [TestCase(1UL << 31)]
    [TestCase((1UL << 33) + 7)]
    public void ATagThatNobodyRecycledForLongIsNotLost(ulong generations)
    {
        Unlink(TakePage());
        _table.TestHookSkipGenerations(generations);
        Assert.That(_limbo.Recycle(), Is.EqualTo(1));
    }

    [Test]
    public void DisposingItWithFramesInsideIsADefect()
    {
        uint pfn = TakePage();
        Unlink(pfn);
        Assert.That(_limbo.Dispose, Throws.TypeOf<InvariantException>());
        Assert.That(_limbo.Recycle(), Is.EqualTo(1));
    }

    [Test]
    public void ARetiredTableWaitsForAGenerationThatSomebodyElseMakes()
    {
        Assert.That(_table.EnterWalker(0));
        RetireMany(3);
        Assert.That(_table.Invalidations, Is.Zero, "nothing became wrong");
        Assert.That(_limbo.Recycle(), Is.Zero);
        _table.Exit(0);
        Assert.That(_limbo.Recycle(), Is.Zero, "a walker that entered since the retirement may have read it before");
        Assert.That(_table.EnterWalker(0));
        Unlink(TakePage());
        Assert.That(_limbo.Recycle(), Is.Zero, "the walker has the older generation");
        _table.Exit(0);
        Assert.That(_limbo.Recycle(), Is.EqualTo(4));
    }

    [Test]
    public void ARetiredTableIsNotTakenForAVeryOldOne()
    {
        // Its tag is one ahead of the generation, and only the low half is kept.
        _table.TestHookSkipGenerations((1UL << 33) + 7);
        Assert.That(_table.EnterWalker(0));
        RetireMany(3);
        Assert.That(_limbo.Recycle(), Is.Zero);
        _table.Exit(0);
        _limbo.Hasten();
        Assert.That(_limbo.Recycle(), Is.EqualTo(3));
    }

    [Test]
    public void HasteMakesOneGenerationForWhatWaitsForOne()
    {
        _limbo.Hasten();
        Assert.That(_table.Invalidations, Is.Zero);
        RetireMany(3);
        _limbo.Hasten();
        _limbo.Hasten();
        Assert.That(_table.Invalidations, Is.EqualTo(1));
        Assert.That(_limbo.Recycle(), Is.EqualTo(3));
    }

    [Test]
    public void EverySoManyRetiredFramesMakeAGeneration()
    {
        for (int i = 1; i < Limbo.RetiredMax; i++) RetireMany(1);
        Assert.That(_table.Invalidations, Is.Zero);
        RetireMany(1);
        Assert.That(_table.Invalidations, Is.EqualTo(1));
        Assert.That(_limbo.Recycle(), Is.EqualTo(Limbo.RetiredMax));
    }

    [Test]
    public void WhatWasRetiredWithSomethingThatBecameWrongSharesItsGeneration()
    {
        var gather = new ShootdownGather(_table, _limbo);
        uint pfn = _arena.Allocator.TryTake(0);
        _arena.Frames.ToTable(pfn, 0, 1);
        gather.RetiredTable(pfn);
        Assert.That(gather.IsEmpty, Is.False);
        gather.Frame(TakePage());
        gather.Commit();
        Assert.That(_table.Invalidations, Is.EqualTo(1));
        Assert.That(_limbo.Recycle(), Is.EqualTo(2));
    }

    [Test]
    public void AgreesWithASetOfTags([Range(1, 6)] int seed)
    {
        var random = new System.Random(seed);
        ulong free = _arena.Allocator.FreeFrames;
        var inside = new ulong[Consumers];              // the generation of each active consumer, 0 = inactive
        var waiting = new Queue<(ulong Tag, int Count)>();
        for (int step = 0; step < 4_000; step++)
        {
            int slot = random.Next(Consumers);
            switch (random.Next(5))
            {
                case 0 when inside[slot] == 0:
                    Assert.That(_table.EnterWalker(slot));
                    inside[slot] = _table.Generation;
                    break;
                case 1 when inside[slot] != 0:
                    _table.Exit(slot);
                    inside[slot] = 0;
                    break;
                case 2:
                    int count = random.Next(1, 100);
                    int taken = UnlinkMany(count);
                    if (taken != 0) waiting.Enqueue((_table.Generation, taken));
                    break;
                case 3:
                    ulong tag = _table.Generation + 1;
                    int retired = RetireMany(random.Next(1, 20));
                    if (retired != 0) waiting.Enqueue((tag, retired));
                    if (random.Next(4) == 0) _limbo.Hasten();
                    break;
                default:
                    ulong oldest = _table.Generation;
                    foreach (ulong word in inside) if (word != 0 && word < oldest) oldest = word;
                    int expected = 0;
                    while (waiting.TryPeek(out (ulong Tag, int Count) gather) && gather.Tag <= oldest)
                    {
                        expected += waiting.Dequeue().Count;
                    }
                    Assert.That(_limbo.Recycle(), Is.EqualTo(expected), $"seed {seed} step {step}");
                    break;
            }
        }
        for (int slot = 0; slot < Consumers; slot++) if (inside[slot] != 0) _table.Exit(slot);
        _limbo.Hasten();
        _limbo.Recycle();
        Assert.That(_arena.Allocator.FreeFrames, Is.EqualTo(free), $"seed {seed}");
    }

    private uint TakePage()
    {
        uint pfn = _arena.Allocator.TryTake(0);
        Assert.That(pfn, Is.Not.Zero);
        _arena.Frames.ToPage(pfn, 1, 0);
        return pfn;
    }

    private void Unlink(uint pfn)
    {
        var gather = new ShootdownGather(_table, _limbo);
        gather.Frame(pfn);
        gather.Commit();
    }

    private int RetireMany(int count)
    {
        var gather = new ShootdownGather(_table, _limbo);
        int taken = 0;
        for (; taken < count; taken++)
        {
            uint pfn = _arena.Allocator.TryTake(0);
            if (pfn == 0) break;
            _arena.Frames.ToTable(pfn, 0, 1);
            gather.RetiredTable(pfn);
        }
        gather.Commit();
        return taken;
    }

    private int UnlinkMany(int count)
    {
        var gather = new ShootdownGather(_table, _limbo);
        int taken = 0;
        for (; taken < count; taken++)
        {
            uint pfn = _arena.Allocator.TryTake(0);
            if (pfn == 0) break;
            _arena.Frames.ToPage(pfn, 1, (uint)taken);
            gather.Frame(pfn);
        }
        gather.Commit();
        return taken;
    }
}
