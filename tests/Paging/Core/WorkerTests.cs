using System.Threading;
using NUnit.Framework;
using Pagoda.Core;

namespace Pagoda.Tests;

/// <summary>A worker runs once it is started, on a thread of its own, and is over after the join.</summary>
public sealed class WorkerTests
{
    [Test]
    public void AWorkerRunsBetweenStartAndJoin()
    {
        var worker = new Probe();
        Assert.That(worker.RanOn, Is.Zero);
        worker.Start();
        worker.Join();
        Assert.That(worker.RanOn, Is.Not.Zero);
        Assert.That(worker.RanOn, Is.Not.EqualTo(System.Environment.CurrentManagedThreadId));
        Assert.That(worker.Name, Is.EqualTo("probe"));
    }

    private sealed class Probe() : Worker("probe")
    {
        public int RanOn { get; private set; }

        public string? Name { get; private set; }

        protected override void Work()
        {
            RanOn = System.Environment.CurrentManagedThreadId;
            Name = Thread.CurrentThread.Name;
        }
    }
}
