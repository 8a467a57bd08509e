using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.Tests.Physical;

public sealed unsafe class FrameAllocatorGiveTests
{
    [Test]
    public void FramesOfEveryStateComeBackAsFree()
    {
        using Arena arena = TestArena.Of(16);
        uint run = arena.Allocator.TryTake(2);
        arena.Frames.ToTable(run, 0, 1);
        arena.Frames.ToPage(run + 1, 1, 1);
        arena.Frames.ToZeroed(run + 2);
        arena.Allocator.Give(run, 2);
        Assert.That(arena.Allocator.FreeFrames, Is.EqualTo(15));
        Assert.That(TestArena.TakeAll(arena), Is.EqualTo(15));
    }

    [TestCase(0U, 0)]
    [TestCase(2U, 2)]
    [TestCase(12U, 3)]
    [TestCase(8U, 4)]
    public void RunsThatAreNoneAreDefects(uint pfn, int order)
    {
        using Arena arena = TestArena.Of(16);
        TestArena.TakeAll(arena);
        Assert.That(() => arena.Allocator.Give(pfn, order), Throws.TypeOf<InvariantException>());
    }

    [Test]
    public void ARunGivenTwiceIsADefect()
    {
        using Arena arena = TestArena.Of(64);
        uint run = arena.Allocator.TryTake(4);
        arena.Allocator.Give(run, 4);
        Assert.That(() => arena.Allocator.Give(run, 4), Throws.TypeOf<InvariantException>());
    }

#if DEBUG
    [Test]
    public void AFrameGivenTwiceIsADefectEvenInTheMiddleOfAFreeBlock()
    {
        using Arena arena = TestArena.Of(64);
        uint run = arena.Allocator.TryTake(4);
        arena.Allocator.Give(run, 4);
        Assert.That(() => arena.Allocator.Give(run + 5, 0), Throws.TypeOf<InvariantException>());
    }
#endif

    [Test]
    public void AHeldFrameCannotBeGiven()
    {
        using Arena arena = TestArena.Of(16);
        uint pfn = arena.Allocator.TryTake(0);
        arena.Frames.ToPage(pfn, 1, 1);
        arena.Frames.AddHold(pfn);
        Assert.That(() => arena.Allocator.Give(pfn, 0), Throws.TypeOf<InvariantException>());
        Assert.That(arena.Frames.ReleaseHold(pfn), Is.False);
        arena.Allocator.Give(pfn, 0);
        Assert.That(arena.Allocator.FreeFrames, Is.EqualTo(15));
    }
}
