using NUnit.Framework;
using Pagoda.Physical;

namespace Pagoda.Tests.Physical;

public sealed unsafe class ReservationsMakeTests
{
    private const uint Frames = 512 * 4;

    [Test]
    public void ARunGivesEachPageTheFrameInItsPlaceOnce()
    {
        using Arena arena = TestArena.Of(Frames);
        uint cell = 0;
        Assert.That(arena.Reservations.TryBegin(&cell), Is.True);
        Assert.That(arena.Reservations.TryBegin(&cell), Is.False);
        Assert.That(arena.Reservations.Make(&cell, 1024), Is.True);
        Assert.That(cell % 512, Is.Zero);
        uint run = cell;
        Assert.That(arena.Reservations.TryTake(&cell, 1024, 7), Is.EqualTo(run + 7));
        Assert.That(arena.Reservations.TryTake(&cell, 1024, 7), Is.Zero);
        Assert.That(arena.Reservations.TryTake(&cell, 1023, 8), Is.Zero);
        Assert.That(arena.Frames.StateOf(run + 7), Is.EqualTo(FrameState.Zeroed));
        Assert.That(PageZeroing.IsZero(TestArena.Page(arena, run + 7)), Is.True);
        Assert.That(arena.Reservations.UnusedFrames, Is.EqualTo(511));
        arena.Reservations.Release(&cell);
        arena.Allocator.Give(run + 7, 0);
        Assert.That(cell, Is.Zero);
        Assert.That(arena.Reservations.UnusedFrames, Is.Zero);
        Assert.That(arena.Allocator.FreeFrames, Is.EqualTo(Frames - 1));
        arena.Allocator.CheckConsistency();
    }

    [Test]
    public void ARunIsTakenFromThroughItsOwnCellAlone()
    {
        using Arena arena = TestArena.Of(Frames);
        uint cell = 0;
        arena.Reservations.TryBegin(&cell);
        arena.Reservations.Make(&cell, 0);
        // As a fault has it that read the cell before the run ended and began again for somebody else.
        uint stale = cell;
        Assert.That(arena.Reservations.TryTake(&stale, 0, 3), Is.Zero);
        arena.Reservations.Release(&stale);
        Assert.That(arena.Reservations.Active, Is.EqualTo(1));
        Assert.That(arena.Reservations.TryTake(&cell, 0, 3), Is.EqualTo(cell + 3));
    }

    [Test]
    public void WithoutAnAlignedRunNothingIsReserved()
    {
        using Arena arena = TestArena.Of(1023);
        uint cell = 0;
        // The only run ends one frame early.
        Assert.That(arena.Reservations.TryBegin(&cell), Is.True);
        Assert.That(arena.Reservations.Make(&cell, 0), Is.False);
        Assert.That(cell, Is.Zero);
        Assert.That(arena.Allocator.FreeFrames, Is.EqualTo(1022));
    }
}
