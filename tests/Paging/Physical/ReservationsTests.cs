using NUnit.Framework;
using Pagoda.Physical;

namespace Pagoda.Tests.Physical;

public sealed unsafe class ReservationsTests
{
    private const uint Frames = 512 * 4;

    [Test]
    public void ARunOfWhichEveryFrameWasTakenIsOver()
    {
        using Arena arena = TestArena.Of(Frames);
        uint cell = 0;
        arena.Reservations.TryBegin(&cell);
        arena.Reservations.Make(&cell, 0);
        for (int i = 0; i < 512; i++) Assert.That(arena.Reservations.TryTake(&cell, 0, i), Is.Not.Zero);
        Assert.That(cell, Is.Zero);
        Assert.That(arena.Reservations.Active, Is.Zero);
        Assert.That(arena.Reservations.BreakOldest(), Is.Zero);
    }
}
