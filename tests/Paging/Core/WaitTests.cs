using System.Threading;
using NUnit.Framework;
using Pagoda.Core;

namespace Pagoda.Tests;

public sealed unsafe class WaitTests
{
    [Test]
    public void StepsAreCountedThroughEveryStageOfPatience()
    {
        var wait = default(Wait);
        for (int i = 0; i < 300; i++) wait.Step();
        Assert.That(wait.Steps, Is.EqualTo(300));
    }

    [Test]
    public void AWaiterSeesWhatAnotherThreadStores()
    {
        ulong cell = 0;
        ulong* pointer = &cell;
        var other = new Thread(() => Shared.Store(pointer, 1));
        other.Start();
        var wait = default(Wait);
        while (Shared.Load(pointer) == 0) wait.Step();
        other.Join();
        Assert.That(cell, Is.EqualTo(1));
    }
}
