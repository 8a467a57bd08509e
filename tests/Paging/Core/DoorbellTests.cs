using System.Threading;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Tests.Support;

namespace Pagoda.Tests;

/// <summary>A ring is never lost, and costs nobody who is awake.</summary>
public sealed unsafe class DoorbellTests
{
    private const uint HalfASecond = 500_000_000;

    [Test]
    public void ARingBehindTheLookKeepsFromSleeping()
    {
        ulong cell = 0;
        var bell = new Doorbell(&cell);
        ulong seen = bell.Look();
        bell.Ring();
        ulong before = cell;
        bell.Sleep(seen, HalfASecond);
        Assert.That(cell, Is.EqualTo(before), "nobody marked that he sleeps");
        Assert.That(bell.Look(), Is.Not.EqualTo(seen));
    }

    [Test]
    public void EveryItemThatIsAnnouncedIsFound()
    {
        const int Items = 2_000;
        using var region = new GuardedRegion(256);
        ulong* cells = (ulong*)region.Base;
        var bell = new Doorbell(cells);
        int found = 0;
        var sleeper = new Thread(() =>
        {
            while (found < Items)
            {
                ulong seen = bell.Look();
                int now = (int)Shared.Load(cells + 16);
                if (now == found) bell.Sleep(seen, HalfASecond);
                found = now;
            }
        });
        sleeper.Start();
        for (int i = 0; i < Items; i++)
        {
            Shared.Increment(cells + 16);
            bell.Ring();
            if (i % 64 == 0) Thread.Yield();
        }
        sleeper.Join();
        Assert.That(found, Is.EqualTo(Items));
    }
}
