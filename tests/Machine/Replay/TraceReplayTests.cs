using System.IO;
using NUnit.Framework;
using Pagoda.Machine;
using Pagoda.Machine.Replay;
using Pagoda.Pagers;

namespace Pagoda.Tests.Machine.Replay;

public sealed class TraceReplayTests
{
    [Test]
    public void AnArenaSmallerThanTheMemoryIsRefused() => Refused(
        new ReplayOptions { MemoryBytes = 4 << 20, ArenaBytes = 2 << 20 }, MachineSubject.Arena);

    [Test]
    public void AResidentSizeWithoutASwapFileIsRefused() =>
        Refused(ReplayFixture.Options(100) with { Swap = null }, MachineSubject.Resident);

    [TestCase(63UL)]
    [TestCase(513UL)]
    public void AResidentSizeThatMakesNoSenseIsRefused(ulong pages) =>
        Refused(ReplayFixture.Options(pages), MachineSubject.Resident);

    [Test]
    public void ASwapFileThatIsNoneIsRefused() => Assert.That(
        () => new TraceReplay(ReplayFixture.Options(100) with { Swap = Path.GetTempPath() }),
        Throws.TypeOf<SwapException>());

    private static void Refused(ReplayOptions options, MachineSubject subject) => Assert.That(
        Assert.Throws<MachineException>(() => new TraceReplay(options).Dispose())!.Subject, Is.EqualTo(subject));
}
