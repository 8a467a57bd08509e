using System;
using System.IO;
using System.Text;
using NUnit.Framework;
using Pagoda.Machine;
using Pagoda.Machine.Boot;
using Pagoda.PageTables;
using Pagoda.Tests.Machine.Devices;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Machine;

/// <summary>Debian's memtest86+, past its test 3: it has moved itself by then and tested where it was.</summary>
/// <remarks>It redraws its screen every two seconds of virtual time; the first test to be seen is the sixth.</remarks>
[TestFixture(TableKind.Ept, true, 1, false)]
[TestFixture(TableKind.Ept, false, 1, false)]
[TestFixture(TableKind.Rvi, true, 1, false)]
[TestFixture(TableKind.Ept, false, 2, false)]
[TestFixture(TableKind.Rvi, true, 2, true)]
public sealed class MemoryTesterTests(TableKind tables, bool hardwareAd, int processors, bool threads)
{
    private const string CommandLine = "console=ttyS0,115200";
    private const string TestSix = "#6  [Moving inversions";

    [Test]
    public void ItGetsPastTestThreeWithoutAnError()
    {
#if DEBUG
        Assert.Ignore("A billion instructions take minutes without optimisation; the Release run has them.");
#endif
        byte[] image = File.ReadAllBytes(Capability.RequireMemoryTester());
        var map = new MemoryMap(8UL << 20, CpuidModel.PhysBits);
        var sink = new CollectingSink();
        using var machine = new VirtualMachine(new MachineOptions
        {
            Memory = map,
            Boot = BootPlan.ForKernel(KernelImage.Parse(image), CommandLine, map),
            ArenaBytes = 16UL << 20,
            Tables = tables,
            HardwareAd = hardwareAd,
            Processors = processors,
            Threads = threads,
            Until = Encoding.ASCII.GetBytes(TestSix),
            TimeLimit = TimeSpan.FromMinutes(30),
        }, sink);
        RunResult result = machine.Run();
        Assert.That(result.End, Is.EqualTo(RunEnd.Until), result.Message + Tail(sink.Text));
        Assert.That(sink.Text, Does.Contain("Memtest86+").And.Contain("Pagoda software vCPU").And.Contain("1000MHz"));
        Assert.That(sink.Text, Does.Contain("Errors: 0"));
        Assert.That(sink.Text, Does.Not.Match("Errors: *[1-9]"));
        Assert.That(result.Counters.AccessedEmulations, Is.Zero);
        Assert.That(result.Counters.DirtyEmulations, hardwareAd ? Is.Zero : Is.GreaterThan(0UL));
        if (processors == 1) return;
        Assert.That(sink.Text, Does.Contain("SMP: 2T (PAR)"));
        Assert.That(result.ProcessorInstructions.Span[1], Is.GreaterThan(result.GuestInstructions / 4), "its share");
    }

    private static string Tail(string text) => text.Length > 1000 ? text[^1000..] : text;
}
