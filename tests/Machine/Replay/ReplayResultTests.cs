using System;
using NUnit.Framework;
using Pagoda.Diagnostics;
using Pagoda.Machine.Replay;

namespace Pagoda.Tests.Machine.Replay;

public sealed class ReplayResultTests
{
    [Test]
    public void RatesFollowFromTheCounts()
    {
        ReplayResult result = Sample();
        Assert.That(result.AccessCount, Is.EqualTo(10_000_000));
        Assert.That(result.TlbHitRate, Is.EqualTo(0.75));
        Assert.That(result.AccessesPerMicrosecond, Is.EqualTo(5));
    }

    /// <summary>A replay whose numbers are all different.</summary>
    internal static ReplayResult Sample() => new()
    {
        End = ReplayEnd.Complete,
        Message = "",
        Accesses = [4_000_000, 3_000_000, 2_000_000, 1_000_000],
        SkippedLines = 11,
        FootprintPages = 12,
        TlbLookups = 4000,
        TlbHits = 2000,
        TlbSecondHits = 1000,
        Walks = 13,
        TlbFlushes = 14,
        Refaults = 15,
        ContentChecksum = 0xABCD,
        WorkingSet = [new WorkingSetPoint(10_000, 3, 2.5, 4)],
        Counters = new GuestCounters { NestedFaults = 16, SwapIns = 17, SwapOuts = 18, CleanEvictions = 19 },
        Elapsed = TimeSpan.FromSeconds(2),
        ManagedBytesAllocated = 20,
        GcCollections = 21,
    };
}
