using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Physical;
using Pagoda.Reclaim;

namespace Pagoda.Tests.Reclaim;

public sealed class PageDaemonRunsTests
{
    [Test]
    public void WhatIsOnlySetAsideGoesBeforeAnyPage()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 16 << 20 });
        using var guest = new Guest(arena, new GuestOptions());
        guest.MapMemory(new Gpa(0), 8 << 20);
        for (ulong window = 0; window < 4; window++) guest.Write(new Gpa(window << 21), [1]);
        Assert.That(arena.Reservations.Active, Is.EqualTo(4));
        using var daemon = new PageDaemon(arena, new PageDaemonOptions());
        ReclaimResult result = daemon.Reclaim(600);
        Assert.That(result.Freed, Is.EqualTo(2 * 511));
        Assert.That(result.End, Is.EqualTo(ReclaimEnd.Enough));
        Assert.That(arena.Reservations.Active, Is.EqualTo(2));
        Assert.That(guest.Counters.ResidentPages, Is.EqualTo(4));
    }
}
