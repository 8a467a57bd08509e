using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.Tests.Physical;

public sealed unsafe class FrameAllocatorBlocksTests
{
    [Test]
    public void CommittedMemoryIsRecycledBeforeTheSystemIsAskedForMore()
    {
        using Arena arena = TestArena.Of(8 * Paging.WindowPages);
        uint first = arena.Allocator.TryTake(Paging.WindowOrder);
        ulong committed = arena.Allocator.CommittedBytes;
        arena.Allocator.Give(first, Paging.WindowOrder);
        arena.Allocator.CheckConsistency();     // Merged with fresh neighbours as far as they are aligned.
        Assert.That(arena.Allocator.TryTake(Paging.WindowOrder), Is.EqualTo(first));
        Assert.That(arena.Allocator.CommittedBytes, Is.EqualTo(committed));
    }

    [Test]
    public void ASplitKeepsTheHalfWithCommittedMemory()
    {
        using Arena arena = TestArena.Of(8 * Paging.WindowPages);
        uint run = arena.Allocator.TryTake(Paging.WindowOrder + 2);
        Assert.That(run, Is.EqualTo(4 * Paging.WindowPages));
        arena.Allocator.Give(run, Paging.WindowOrder + 2);
        arena.Trim();
        uint chunks = 3;
        uint* taken = stackalloc uint[3];
        for (uint i = 0; i < chunks; i++) taken[i] = arena.Allocator.TryTake(Paging.WindowOrder);
        uint last = taken[2];
        for (uint i = 0; i < chunks; i++)
        {
            if (taken[i] != last) arena.Allocator.Give(taken[i], Paging.WindowOrder);
        }
        arena.Trim();
        arena.Allocator.Give(last, Paging.WindowOrder);
        arena.Allocator.CheckConsistency();
        ulong committed = arena.Allocator.CommittedBytes;
        // The one committed chunk lies somewhere in a merged block; one window taken must be it.
        Assert.That(arena.Allocator.TryTake(Paging.WindowOrder), Is.EqualTo(last));
        Assert.That(arena.Allocator.CommittedBytes, Is.EqualTo(committed));
    }

    [Test]
    public void ARunThatMixesCommittedAndFreshIsTakenWhole()
    {
        using Arena arena = TestArena.Of(4 * Paging.WindowPages);
        uint one = arena.Allocator.TryTake(Paging.WindowOrder);
        uint two = arena.Allocator.TryTake(Paging.WindowOrder);
        arena.Allocator.Give(one, Paging.WindowOrder);
        arena.Allocator.Give(two, Paging.WindowOrder);
        uint run = arena.Allocator.TryTake(Paging.WindowOrder + 1, out bool knownZero);
        Assert.That(run, Is.EqualTo(2 * Paging.WindowPages));
        Assert.That(knownZero, Is.False);
        Assert.That(arena.Allocator.CommittedBytes, Is.EqualTo(arena.Bytes));
    }

    [TestCase(true, false)]
    [TestCase(false, true)]
    [TestCase(true, true)]
    public void KnownZeroSurvivesOnlyTheMergeOfZeroHalves(bool firstZero, bool secondZero)
    {
        using Arena arena = TestArena.Of(16);
        uint pair = arena.Allocator.TryTake(1, out bool fromKernel);
        Assert.That(fromKernel, Is.True);
        TestArena.TakeAll(arena);
        uint half = pair;
        arena.Allocator.GiveBatch(&half, 1, firstZero);
        half = pair + 1;
        arena.Allocator.GiveBatch(&half, 1, secondZero);
        Assert.That(arena.Allocator.TryTake(1, out bool zero), Is.EqualTo(pair));
        Assert.That(zero, Is.EqualTo(firstZero && secondZero));
    }
}
