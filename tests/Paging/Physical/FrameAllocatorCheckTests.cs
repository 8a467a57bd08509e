using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.Tests.Physical;

/// <summary>The check itself: it accepts what is sound, and sees each kind of damage.</summary>
public sealed unsafe class FrameAllocatorCheckTests
{
    private const uint Frames = 64;
    private const uint Block = 8;       // Heads the free block of frames 8 to 15.

    [Test]
    public void AcceptsAFreshArenaAndAnEmptyOne()
    {
        using Arena arena = TestArena.Of(Frames);
        arena.Allocator.CheckConsistency();
        TestArena.TakeAll(arena);
        arena.Allocator.CheckConsistency();
    }

    [Test]
    public void SeesABlockWhoseOrderIsNotItsLists()
    {
        using Arena arena = TestArena.Of(Frames);
        arena.Frames.Records[Block].Word ^= 1U << FrameRecord.OrderShift;
        Assert.That(arena.Allocator.CheckConsistency, Throws.TypeOf<InvariantException>());
    }

    [Test]
    public void SeesABrokenLink()
    {
        using Arena arena = TestArena.Of(Frames);
        arena.Frames.Records[Block].Index = 3;
        Assert.That(arena.Allocator.CheckConsistency, Throws.TypeOf<InvariantException>());
    }

    [Test]
    public void SeesABlockThatClaimsToBeFresh()
    {
        using Arena arena = TestArena.Of(Frames);
        arena.Frames.Records[Block].Word |= FrameRecord.Fresh;
        Assert.That(arena.Allocator.CheckConsistency, Throws.TypeOf<InvariantException>());
    }
}
