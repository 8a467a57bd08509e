using System.Threading;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.Tests;

public sealed class GuestConsumerRenewTests
{
    [Test]
    public void EverybodyEmptiesTheirTranslationsBeforeItReturns()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 4 << 20 });
        using var guest = new Guest(arena, new GuestOptions());
        using GuestConsumer first = guest.AddConsumer();
        using GuestConsumer second = guest.AddConsumer();
        foreach (GuestConsumer consumer in new[] { first, second })
        {
            consumer.Enter(out _);
            consumer.Acknowledge();
        }
        var renewer = new Thread(first.Renew);
        renewer.Start();
        var wait = default(Wait);
        while (!second.Poll()) wait.Step();
        Assert.That(renewer.IsAlive, Is.True, "it waits for the acknowledgement");
        second.Acknowledge();
        renewer.Join();
        Assert.That(first.IsInside, Is.False);
        first.Enter(out bool flush);
        Assert.That(flush, Is.True, "its own translations are older too");
        first.Acknowledge();
        first.Exit();
        second.Exit();
    }
}
