using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests;

public sealed class GuestChangeTests
{
    [Test]
    public void ChangesReachTheMapAndTheTables()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 4 << 20 });
        using var guest = new Guest(arena, new GuestOptions());
        guest.MapMemory(new Gpa(0), 0x4000);
        guest.Write(new Gpa(0x1000), [5]);
        guest.Remap(new Gpa(0), 0x4000, new Gpa(0x10000));
        guest.Protect(new Gpa(0x11000), 0x1000, Prot.Read);
        byte[] seen = new byte[1];
        Assert.That(guest.Read(new Gpa(0x11000), seen), Is.EqualTo(FaultStatus.Resolved));
        Assert.That(seen[0], Is.EqualTo(5));
        Assert.That(guest.Write(new Gpa(0x11000), seen), Is.EqualTo(FaultStatus.Protection));
        guest.Unmap(new Gpa(0x11000), 0x1000);
        Assert.That(guest.Read(new Gpa(0x11000), seen), Is.EqualTo(FaultStatus.NoMapping));
        guest.Unmap(new Gpa(0), 1UL << 46);
        Assert.That(guest.Counters.ResidentPages, Is.Zero);
        Assert.That(guest.Counters.TablePages, Is.EqualTo(1));
        guest.Dispose();
        ArenaBalance.AssertWhole(arena);
    }
}
