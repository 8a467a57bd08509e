using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.AddressSpace;

public sealed unsafe class VmObjectReserveTests
{
    [Test]
    public void TheFirstPlaceOfASharedObjectDecidesHowItsRunsLie()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 32 << 20 });
        using (var memory = new VmObject(arena, 8 << 20))
        using (var first = new Guest(arena, new GuestOptions()))
        using (var second = new Guest(arena, new GuestOptions()))
        {
            first.MapObject(new Gpa(0x1000), memory, 0, 8 << 20);
            second.MapObject(new Gpa(0), memory, 0, 8 << 20);
            first.Write(new Gpa(0x20_0000), [1]);
            Assert.That(arena.Reservations.Active, Is.EqualTo(1));
            // Page 511 is the first of the run of pages 511 to 1022: the other guest's window has a page in a frame.
            second.Write(new Gpa(0x20_0000), [2]);
            Assert.That(arena.Reservations.Active, Is.EqualTo(1));
            second.Write(new Gpa(0x60_0000), [3]);
            Assert.That(arena.Reservations.Active, Is.EqualTo(2));
            Assert.That(*memory.ReservationCell(511), Is.GreaterThan(Reservations.Making));
            Assert.That(memory.HasNoFrames(511), Is.False);
            Assert.That(memory.HasNoFrames(0), Is.False);
            Assert.That(memory.HasNoFrames(1024), Is.True);
        }
        Assert.That(arena.Reservations.Active, Is.Zero);
        ArenaBalance.AssertWhole(arena);
    }
}
