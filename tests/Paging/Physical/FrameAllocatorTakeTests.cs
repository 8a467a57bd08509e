using System.Threading;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Linux;
using Pagoda.Physical;

namespace Pagoda.Tests.Physical;

public sealed unsafe class FrameAllocatorTakeTests
{
    [TestCase(-1)]
    [TestCase(FrameAllocator.OrderMax + 1)]
    public void AnOrderOutOfRangeIsADefect(int order)
    {
        using Arena arena = TestArena.Of(16);
        Assert.That(() => arena.Allocator.TryTake(order), Throws.TypeOf<InvariantException>());
    }

    [Test]
    public void ABatchTakesSmallFragmentsFirst()
    {
        using Arena arena = TestArena.Of(64);
        uint* pfns = stackalloc uint[2];
        // The free blocks of 1 to 63 are 1, 2-3, 4-7, ...: single frames come from the smallest.
        Assert.That(arena.Allocator.TryTakeBatch(pfns, 2, out _), Is.EqualTo(2));
        Assert.That(pfns[0], Is.EqualTo(1));
        Assert.That(pfns[1], Is.EqualTo(2));
    }

    [Test]
    public void ABatchGoesOnIntoChunksThatWereNotCommitted()
    {
        using Arena arena = TestArena.Of(2 * Paging.WindowPages);
        uint most = arena.Allocator.TryTake(8);
        Assert.That(most, Is.EqualTo(Paging.WindowPages / 2));
        uint* pfns = stackalloc uint[FrameAllocator.BatchMax];
        int taken = 0;
        for (int round = 0; round < 5; round++)
        {
            taken += arena.Allocator.TryTakeBatch(pfns, FrameAllocator.BatchMax, out ulong knownZero);
            Assert.That(knownZero, Is.EqualTo(ulong.MaxValue));
        }
        Assert.That(taken, Is.EqualTo(5 * FrameAllocator.BatchMax));
        Assert.That(arena.Allocator.CommittedBytes, Is.EqualTo(arena.Bytes));
        arena.Allocator.CheckConsistency();
    }

    [Test]
    public void AChunkThatTheSystemRefusesLeavesEverythingAsItWas()
    {
        using Arena arena = TestArena.Of(3 * Paging.WindowPages);
        // A chunk without an address range stands for a system without memory.
        byte* second = arena.Base + Paging.WindowBytes;
        Assert.That(Libc.Munmap(second, (nuint)(2 * Paging.WindowBytes)), Is.Zero);
        ulong free = arena.Allocator.FreeFrames;
        Assert.That(arena.Allocator.TryTake(Paging.WindowOrder), Is.Zero);
        Assert.That(arena.Allocator.FreeFrames, Is.EqualTo(free));
        arena.Allocator.CheckConsistency();
        Assert.That(TestArena.TakeAll(arena), Is.EqualTo(Paging.WindowPages - 1));
    }

    [Test]
    public void AMixedRunThatTheSystemRefusesIsStillThere()
    {
        using Arena arena = TestArena.Of(4 * Paging.WindowPages);
        uint first = arena.Allocator.TryTake(Paging.WindowOrder);
        uint second = arena.Allocator.TryTake(Paging.WindowOrder);
        arena.Allocator.Give(first, Paging.WindowOrder);
        arena.Allocator.Give(second, Paging.WindowOrder);
        Assert.That(Libc.Munmap(arena.Base + 3 * Paging.WindowBytes, (nuint)Paging.WindowBytes), Is.Zero);
        ulong free = arena.Allocator.FreeFrames;
        Assert.That(arena.Allocator.TryTake(Paging.WindowOrder + 1), Is.Zero);
        Assert.That(arena.Allocator.FreeFrames, Is.EqualTo(free));
        arena.Allocator.CheckConsistency();
        Assert.That(arena.Allocator.TryTake(Paging.WindowOrder), Is.Not.Zero);
    }

    [Test]
    public void ATakerThatFindsNothingWaitsForTheChunkThatAnotherCommits()
    {
        using Arena arena = TestArena.Of(2 * Paging.WindowPages);
        while (arena.Allocator.CommittedBytes == Paging.WindowBytes && arena.Allocator.TryTake(0) != 0)
        {
            // Takes the first chunk whole, and one frame that shows the second.
        }
        uint* last = stackalloc uint[1];
        *last = Paging.WindowPages;
        int failures = 0;
        using var together = new Barrier(2);
        void Work(bool trims)
        {
            for (int round = 0; round < 100; round++)
            {
                if (trims)
                {
                    arena.Allocator.GiveBatch(last, 1);
                    arena.Trim();
                }
                together.SignalAndWait();
                uint pfn = arena.Allocator.TryTake(0);
                if (pfn == 0) Interlocked.Increment(ref failures);
                together.SignalAndWait();
                if (pfn != 0 && !trims) arena.Allocator.Give(pfn, 0);
                if (trims) *last = pfn;
                together.SignalAndWait();
            }
        }

        var other = new Thread(() => Work(false));
        other.Start();
        Work(true);
        other.Join();
        Assert.That(failures, Is.Zero);
    }

    [Test]
    public void TwoThreadsNeverGetTheSameFrameAndSeeNoFalseExhaustion()
    {
        // As many frames as both hold at most, so that every failure would be a false one.
        const int Each = 2 * Paging.WindowPages;
        using Arena arena = TestArena.Of(2 * Each + 1);
        int failures = 0;
        int strangers = 0;
        void Work(byte mark)
        {
            uint* pfns = stackalloc uint[Each];
            for (int round = 0; round < 20; round++)
            {
                int taken = 0;
                while (taken < Each)
                {
                    int batch = arena.Allocator.TryTakeBatch(pfns + taken, int.Min(48, Each - taken), out _);
                    if (batch == 0)
                    {
                        Interlocked.Increment(ref failures);
                        break;
                    }
                    for (int i = taken; i < taken + batch; i++) *TestArena.Page(arena, pfns[i]) = mark;
                    taken += batch;
                }
                for (int i = 0; i < taken; i++)
                {
                    if (*TestArena.Page(arena, pfns[i]) != mark) Interlocked.Increment(ref strangers);
                }
                arena.Allocator.GiveBatch(pfns, taken);
                if (round % 8 == mark) arena.Trim();
            }
        }

        var other = new Thread(() => Work(1));
        other.Start();
        Work(2);
        other.Join();
        Assert.That(failures, Is.Zero);
        Assert.That(strangers, Is.Zero);
        arena.Allocator.CheckConsistency();
        Assert.That(arena.Allocator.FreeFrames, Is.EqualTo(2UL * Each));
    }
}
