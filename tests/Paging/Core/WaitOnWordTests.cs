using System.Threading;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Tests.Support;

namespace Pagoda.Tests;

public sealed unsafe class WaitOnWordTests
{
    [Test]
    public void AWordThatHasChangedIsNotWaitedFor()
    {
        ulong word = 5;
        Wait.OnWord(&word, 6);
        Assert.That(word, Is.EqualTo(5));
    }

    [Test]
    public void ASleepWithoutAWakeEnds()
    {
        ulong word = 5;
        Wait.OnWord(&word, 5);
        Assert.That(word, Is.EqualTo(5), "the caller looks again");
    }

    [Test]
    public void EverySleeperSeesTheChange()
    {
        using var region = new GuardedRegion(sizeof(ulong));
        ulong* word = (ulong*)region.Base;
        Shared.Store(word, 1);
        var sleepers = new Thread[3];
        for (int i = 0; i < sleepers.Length; i++)
        {
            sleepers[i] = new Thread(() =>
            {
                while (Shared.Load(word) == 1) Wait.OnWord(word, 1);
            });
            sleepers[i].Start();
        }
        var wait = default(Wait);
        while (wait.Steps < 300) wait.Step();
        Shared.Store(word, 2);
        Wait.WakeAll(word);
        foreach (Thread sleeper in sleepers) sleeper.Join();
        Assert.That(*word, Is.EqualTo(2));
    }
}
