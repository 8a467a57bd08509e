using System;
using System.Threading;
using NUnit.Framework;
using Pagoda.Machine;

namespace Pagoda.Tests.Machine;

[NonParallelizable]
public sealed class AllocationMeterTests
{
    private const int ArrayBytes = 100_000;
    private static object? s_kept;

    [Test]
    public void WhatIsAllocatedIsMeasuredAndPausesAreNot()
    {
        var meter = default(AllocationMeter);
        meter.Start();
        s_kept = new byte[ArrayBytes];
        meter.Pause();
        s_kept = new byte[50 * ArrayBytes];
        GC.Collect();
        meter.Resume();
        s_kept = new byte[ArrayBytes];
        meter.Stop();
        Assert.That(meter.Bytes, Is.InRange(2 * ArrayBytes, 20 * ArrayBytes));
        Assert.That(meter.Collections, Is.Zero);
    }

    [Test]
    public void WhatOtherThreadsAllocateDuringAPauseIsMeasured()
    {
        var meter = default(AllocationMeter);
        meter.Start();
        meter.Pause();
        var other = new Thread(() => s_kept = new byte[50 * ArrayBytes]);
        other.Start();
        other.Join();
        meter.Resume();
        meter.Stop();
        Assert.That(meter.Bytes, Is.GreaterThanOrEqualTo(50 * ArrayBytes));
    }

    [Test]
    public void CollectionsAreCounted()
    {
        var meter = default(AllocationMeter);
        meter.Start();
        GC.Collect();
        meter.Stop();
        Assert.That(meter.Collections, Is.GreaterThanOrEqualTo(1));
        GC.KeepAlive(s_kept);
    }
}
