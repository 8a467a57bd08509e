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
        Assert.That(meter.Bytes, Is.InRange(2 * ArrayBytes, 3 * ArrayBytes));
    }

    [Test]
    public void OnlyWhatIsAddedOfOtherThreadsIsMeasured()
    {
        var meter = default(AllocationMeter);
        meter.Start();
        long added = 0;
        var other = new Thread(() =>
        {
            var own = default(AllocationMeter);
            own.Start();
            s_kept = new byte[50 * ArrayBytes];
            own.Stop();
            added = own.Bytes;
        });
        other.Start();
        other.Join();
        meter.Stop();
        Assert.That(added, Is.InRange(50 * ArrayBytes, 51 * ArrayBytes));
        Assert.That(meter.Bytes, Is.LessThan(ArrayBytes));
        long before = meter.Bytes;
        meter.Add(added);
        Assert.That(meter.Bytes, Is.EqualTo(before + added));
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
