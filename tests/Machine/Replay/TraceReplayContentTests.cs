using NUnit.Framework;
using Pagoda.Machine.Replay;

namespace Pagoda.Tests.Machine.Replay;

public sealed class TraceReplayContentTests
{
    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    [TestCase(4)]
    [TestCase(7)]
    [TestCase(8)]
    [TestCase(16)]
    [TestCase(17)]
    [TestCase(64)]
    [TestCase(4096)]
    public void WhatIsStoredIsReadAndDependsOnTheSeed(int size)
    {
        var bytes = (ushort)size;
        TraceRecord[] program =
        [
            new(0x1000, bytes, TraceKind.Store), new(0x1000, bytes, TraceKind.Load),
            new((ulong)(0x3000 - size), bytes, TraceKind.Modify), new((ulong)(0x3000 - size), bytes, TraceKind.Load),
        ];
        ReplayResult one = ReplayFixture.Run(ReplayFixture.Options(seed: 1), program);
        ReplayResult other = ReplayFixture.Run(ReplayFixture.Options(seed: 2), program);
        Assert.That(one.End, Is.EqualTo(ReplayEnd.Complete), one.Message);
        Assert.That(other.ContentChecksum, Is.Not.EqualTo(one.ContentChecksum));
    }

    [Test]
    public void VerifyingChangesNothing()
    {
        TraceRecord[] program = ReplayFixture.Program();
        ReplayResult plain = ReplayFixture.Run(ReplayFixture.Options(100, verify: false), program);
        ReplayResult verified = ReplayFixture.Run(ReplayFixture.Options(100, verify: true), program);
        Assert.That(verified.ContentChecksum, Is.EqualTo(plain.ContentChecksum));
        Assert.That(verified.Counters, Is.EqualTo(plain.Counters));
    }

    [Test]
    public void TheLastBytesOfAPageAreReadAlone()
    {
        // The first load is of a page's last byte, the second of the same value elsewhere: the neighbour must not show.
        TraceRecord[] program = [new(0x1FFF, 1, TraceKind.Load), new(0x1500, 1, TraceKind.Load)];
        ReplayResult result = ReplayFixture.Run(ReplayFixture.Options(), program);
        Assert.That(result.ContentChecksum, Is.Zero, "zeros fold to zero");
    }
}
