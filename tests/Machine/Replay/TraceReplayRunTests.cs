using System.Collections.Generic;
using System.IO;
using NUnit.Framework;
using Pagoda.Machine.Replay;
using Pagoda.PageTables;

namespace Pagoda.Tests.Machine.Replay;

public sealed class TraceReplayRunTests
{
    [TestCase(TableKind.Ept, true)]
    [TestCase(TableKind.Ept, false)]
    [TestCase(TableKind.Rvi, true)]
    public void FewerResidentPagesMeanMoreRefaultsAndTheSameBytes(TableKind tables, bool hardwareAd)
    {
        TraceRecord[] program = ReplayFixture.Program();
        ReplayResult whole = ReplayFixture.Run(ReplayFixture.Options(0, tables, hardwareAd), program);
        Assert.That(whole.End, Is.EqualTo(ReplayEnd.Complete), whole.Message);
        Assert.That(whole.Refaults, Is.Zero);
        ulong before = 0;
        foreach (ulong pages in new ulong[] { 340, 170, 85 })
        {
            ReplayResult result = ReplayFixture.Run(ReplayFixture.Options(pages, tables, hardwareAd), program);
            Assert.That(result.End, Is.EqualTo(ReplayEnd.Complete), result.Message);
            Assert.That(result.ContentChecksum, Is.EqualTo(whole.ContentChecksum));
            Assert.That(result.FootprintPages, Is.EqualTo(whole.FootprintPages));
            Assert.That(result.WorkingSet, Is.EqualTo(whole.WorkingSet));
            Assert.That(result.Refaults, Is.GreaterThanOrEqualTo(before), pages + " pages");
            before = result.Refaults;
        }
        Assert.That(before, Is.GreaterThan(1000));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void TwoReplaysAgreeInEverythingButTime(bool hardwareAd)
    {
        TraceRecord[] program = ReplayFixture.Program();
        ReplayResult first = ReplayFixture.Run(ReplayFixture.Options(100, hardwareAd: hardwareAd), program);
        ReplayResult second = ReplayFixture.Run(ReplayFixture.Options(100, hardwareAd: hardwareAd), program);
        Assert.That(second.Counters, Is.EqualTo(first.Counters));
        Assert.That(second.TlbHits, Is.EqualTo(first.TlbHits));
        Assert.That(second.Walks, Is.EqualTo(first.Walks));
        Assert.That(second.Refaults, Is.EqualTo(first.Refaults));
        Assert.That(second.ContentChecksum, Is.EqualTo(first.ContentChecksum));
    }

    [Test]
    public void TheCountsAreThoseOfTheTrace()
    {
        TraceRecord[] program = ReplayFixture.Program();
        ulong[] kinds = new ulong[4];
        ulong crossings = 0;
        var pages = new HashSet<ulong>();
        foreach (TraceRecord record in program)
        {
            kinds[(int)record.Kind]++;
            pages.Add(record.Address >> 12);
            pages.Add((record.Address + record.Size - 1) >> 12);
        }
        foreach (TraceRecord record in program)
        {
            if (record.Address >> 12 != (record.Address + record.Size - 1) >> 12) crossings++;
        }
        ReplayResult result = ReplayFixture.Run(ReplayFixture.Options(), program);
        Assert.That(result.Accesses, Is.EqualTo(kinds));
        Assert.That(result.AccessCount, Is.EqualTo((ulong)program.Length));
        Assert.That(result.FootprintPages, Is.EqualTo((ulong)pages.Count));
        Assert.That(result.TlbLookups, Is.EqualTo((ulong)program.Length + crossings));
        Assert.That(result.WorkingSet[0].Windows, Is.EqualTo(12));
        Assert.That(result.WorkingSet[1].Windows, Is.EqualTo(1));
        Assert.That(result.Counters.NestedFaults, Is.EqualTo((ulong)pages.Count));
    }

    [Test]
    public void ATraceWithMorePagesThanTheGuestEndsThere()
    {
        var program = new TraceRecord[ReplayFixture.MemoryPages + 1];
        for (int i = 0; i < program.Length; i++) program[i] = new TraceRecord((ulong)i << 12, 1, TraceKind.Store);
        ReplayResult result = ReplayFixture.Run(ReplayFixture.Options(), program);
        Assert.That(result.End, Is.EqualTo(ReplayEnd.MemoryTooSmall));
        Assert.That(result.Message, Does.StartWith("access 512, at GPA 0x200000").And.Contain("give it more"));
        Assert.That(result.AccessCount, Is.EqualTo(512));
    }

    [Test]
    public void NothingIsAllocatedWhileItRuns()
    {
        ReplayOptions options = ReplayFixture.Options(100, verify: false);
        TraceReplay.Warm(options);
        byte[] text = System.Text.Encoding.ASCII.GetBytes(TraceTexts.Text(ReplayFixture.Program()));
        using var stream = new MemoryStream(text);
        using var input = new TraceInput(stream);
        using var replay = new TraceReplay(options);
        ReplayResult result = replay.Run(new LackeyReader(input));
        Assert.That(result.Counters.SwapIns, Is.GreaterThan(100));
        // Other threads of the test process may allocate; a replay that did would take 24 bytes or more at every fault.
        Assert.That(result.ManagedBytesAllocated, Is.LessThan(24 * (long)result.Counters.SwapIns));
    }
}
