using System.IO;
using NUnit.Framework;
using Pagoda.Machine.Replay;

namespace Pagoda.Tests.Machine.Replay;

public sealed class TraceReplayWarmTests
{
    [TestCase(0UL)]
    [TestCase(100UL)]
    public void WarmingLeavesNothingBehind(ulong residentPages)
    {
        string[] before = Directory.GetFiles(Path.GetTempPath(), "pagoda-*");
        TraceReplay.Warm(ReplayFixture.Options(residentPages));
        Assert.That(Directory.GetFiles(Path.GetTempPath(), "pagoda-*"), Is.SubsetOf(before));
    }
}
