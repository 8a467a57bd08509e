using NUnit.Framework;
using Pagoda.Machine.Replay;

namespace Pagoda.Tests.Machine.Replay;

public sealed class TraceReplayAccessTests
{
    [Test]
    public void InstructionsAndDataHaveATlbEach()
    {
        TraceRecord[] program =
        [
            new(0x1000, 4, TraceKind.Fetch), new(0x1004, 4, TraceKind.Fetch), new(0x1008, 8, TraceKind.Load),
            new(0x1010, 8, TraceKind.Load), new(0x1010, 8, TraceKind.Store), new(0x1018, 8, TraceKind.Modify),
        ];
        ReplayResult result = ReplayFixture.Run(ReplayFixture.Options(), program);
        // One fault; a walk for the fetch, one for the load; the store's walk sets the dirty bit.
        Assert.That(result.Counters.NestedFaults, Is.EqualTo(1));
        Assert.That(result.Walks, Is.EqualTo(3));
        Assert.That(result.TlbLookups, Is.EqualTo(6));
        Assert.That(result.TlbHits, Is.EqualTo(3));
    }

    [Test]
    public void TheSecondLevelServesPagesThatShareAFirstLevelEntry()
    {
        TraceRecord[] program =
        [
            new(0, 1, TraceKind.Load), new(1024 << 12, 1, TraceKind.Load), new(0, 1, TraceKind.Load),
            new(1024 << 12, 1, TraceKind.Load),
        ];
        ReplayResult result = ReplayFixture.Run(ReplayFixture.Options(), program);
        Assert.That(result.Walks, Is.EqualTo(2));
        Assert.That(result.TlbSecondHits, Is.EqualTo(2));
        Assert.That(result.TlbHitRate, Is.EqualTo(0.5));
    }

    [Test]
    public void AnAccessAcrossPagesIsAPartInEach()
    {
        TraceRecord[] program =
            [new(0x1FFE, 4, TraceKind.Store), new(0x1FFE, 4, TraceKind.Load), new(0x2000, 2, TraceKind.Load)];
        ReplayResult result = ReplayFixture.Run(ReplayFixture.Options(), program);
        Assert.That(result.End, Is.EqualTo(ReplayEnd.Complete), result.Message);
        Assert.That(result.FootprintPages, Is.EqualTo(2));
        Assert.That(result.TlbLookups, Is.EqualTo(5));
    }

    [Test]
    public void EmulatedMarksAreCounted()
    {
        TraceRecord[] program = [new(0x1000, 4, TraceKind.Load), new(0x1000, 4, TraceKind.Store)];
        ReplayResult result = ReplayFixture.Run(ReplayFixture.Options(hardwareAd: false), program);
        Assert.That(result.Counters.DirtyEmulations, Is.EqualTo(1));
        Assert.That(result.Refaults, Is.Zero);
    }
}
