using System.Text.Json;
using NUnit.Framework;
using Pagoda.Cli;
using Pagoda.Machine.Replay;
using Pagoda.Tests.Machine.Replay;

namespace Pagoda.Tests.Cli;

public sealed class ReplayReportTests
{
    [Test]
    public void EachNumberStandsUnderItsName()
    {
        using JsonDocument document = JsonDocument.Parse(
            ReplayReport.ToJson(ReplayFixture.Options(seed: 5), ReplayResultTests.Sample()));
        JsonElement root = document.RootElement;
        Assert.That(root.GetProperty("exit").GetString(), Is.EqualTo("complete"));
        Assert.That(root.GetProperty("contentChecksum").GetString(), Is.EqualTo("0x000000000000abcd"));
        (string Name, double Value)[] numbers =
        [
            ("seed", 5), ("accesses", 10_000_000), ("fetches", 4_000_000), ("loads", 3_000_000), ("stores", 2_000_000),
            ("modifies", 1_000_000), ("skippedLines", 11), ("footprintPages", 12), ("tlbLookups", 4000),
            ("tlbHits", 2000), ("tlbSecondLevelHits", 1000), ("tlbHitRate", 0.75), ("walks", 13), ("tlbFlushes", 14),
            ("refaults", 15), ("nestedFaults", 16), ("swapIns", 17), ("swapOuts", 18), ("cleanEvictions", 19),
        ];
        foreach ((string name, double value) in numbers)
        {
            Assert.That(root.GetProperty(name).GetDouble(), Is.EqualTo(value), name);
        }
        JsonElement point = root.GetProperty("workingSet")[0];
        Assert.That(point.GetProperty("meanPages").GetDouble(), Is.EqualTo(2.5));
        Assert.That(root.GetProperty("process").GetProperty("elapsedSeconds").GetDouble(), Is.EqualTo(2));
    }

    [TestCase(ReplayEnd.Complete, "complete")]
    [TestCase(ReplayEnd.MemoryTooSmall, "memory")]
    [TestCase(ReplayEnd.ContentWrong, "content")]
    [TestCase(ReplayEnd.Error, "error")]
    public void EachEndHasItsWord(ReplayEnd end, string word) =>
        Assert.That(ReplayReport.NameOf(end), Is.EqualTo(word));
}
