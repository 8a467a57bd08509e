using NUnit.Framework;
using Pagoda.Physical;

namespace Pagoda.Tests.Physical;

public sealed unsafe class ReservationsBreakTests
{
    private const uint Frames = 512 * 4;

    [Test]
    public void WhenMemoryIsShortTheRunUsedLeastRecentlyLosesItsRest()
    {
        using Arena arena = TestArena.Of(Frames);
        uint* cells = stackalloc uint[3];
        for (int i = 0; i < 3; i++)
        {
            cells[i] = 0;
            Assert.That(arena.Reservations.TryBegin(cells + i), Is.True);
            Assert.That(arena.Reservations.Make(cells + i, 0), Is.True);
        }
        // The first one is used again, so that the second is the oldest.
        uint kept = arena.Reservations.TryTake(cells, 0, 0);
        Assert.That(kept, Is.EqualTo(cells[0]));
        while (arena.Allocator.TryTake(0) != 0) ;
        uint pfn;
        Assert.That(arena.Zeroed.TryTake(&pfn, 1), Is.EqualTo(1));
        Assert.That(cells[1], Is.Zero);
        Assert.That(cells[0], Is.Not.Zero);
        Assert.That(cells[2], Is.Not.Zero);
        Assert.That(arena.Reservations.Broken, Is.EqualTo(1));
        uint* all = stackalloc uint[1];
        int taken = 1;
        while (arena.Zeroed.TryTake(all, 1) == 1) taken++;
        Assert.That(taken, Is.EqualTo(3 * 512 - 1));
        Assert.That(arena.Reservations.Active, Is.Zero);
    }
}
