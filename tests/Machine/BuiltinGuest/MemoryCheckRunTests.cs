using System;
using NUnit.Framework;
using Pagoda.Machine;
using Pagoda.Machine.Boot;
using Pagoda.Machine.BuiltinGuest;
using Pagoda.PageTables;
using Pagoda.Tests.Machine.Devices;

namespace Pagoda.Tests.Machine.BuiltinGuest;

/// <summary>The built-in guest on a small machine with each kind of nested tables.</summary>
[TestFixture(TableKind.Ept, true, true)]
[TestFixture(TableKind.Ept, true, false)]
[TestFixture(TableKind.Ept, false, true)]
[TestFixture(TableKind.Rvi, true, true)]
public sealed class MemoryCheckRunTests(TableKind tables, bool hardwareAd, bool superpages)
{
    [Test]
    public void ItFindsNoErrorAndItsRunRepeatsToTheCounter()
    {
        RunResult first = Run(out string firstConsole);
        Assert.That(first.End, Is.EqualTo(RunEnd.Halt), first.Message + firstConsole);
        Assert.That(firstConsole, Does.EndWith("Errors: 0\n"));
        Assert.That(firstConsole, Does.Contain("strided,    alternating: ok").And.Contain("dirty marks: ok"));

        RunResult second = Run(out string secondConsole);
        Assert.That(secondConsole, Is.EqualTo(firstConsole));
        Assert.That(Numbers(second), Is.EqualTo(Numbers(first)));
    }

    [Test]
    public void ItsCountersFollowTheKindOfTables()
    {
        RunResult result = Run(out _);
        Assert.That(result.Counters.NestedFaults, Is.GreaterThan(300UL));
        Assert.That(result.Counters.ResidentPages, Is.GreaterThan(300UL));
        ulong emulations = result.Counters.AccessedEmulations + result.Counters.DirtyEmulations
            + result.Counters.SuperpageAccessedEmulations + result.Counters.AdEmulationSuperpagePromotions;
        if (hardwareAd) Assert.That(emulations, Is.Zero);
        Assert.That(result.MmioExits, Is.Zero);
        Assert.That(result.IoExits, Is.GreaterThan(500UL));
    }

    private RunResult Run(out string console)
    {
        var map = new MemoryMap(MemoryMap.BytesMin, CpuidModel.PhysBits);
        var sink = new CollectingSink();
        using var machine = new VirtualMachine(new MachineOptions
        {
            Memory = map,
            Boot = BootPlan.ForProgram(MemoryCheckProgram.Gpa, MemoryCheckProgram.Assemble(), map),
            ArenaBytes = 8UL << 20,
            Tables = tables,
            HardwareAd = hardwareAd,
            Superpages = superpages,
            TimeLimit = TimeSpan.FromMinutes(30),
            ErrorCountGpa = MemoryCheckProgram.ErrorCountGpa,
        }, sink);
        RunResult result = machine.Run();
        console = sink.Text;
        return result;
    }

    private static ulong[] Numbers(RunResult result) =>
    [
        result.GuestInstructions, result.VirtualNanoseconds, result.IoExits, result.MmioExits, result.UnclaimedAccesses,
        result.Counters.NestedFaults, result.Counters.SpuriousFaults, result.Counters.AccessedEmulations,
        result.Counters.DirtyEmulations, result.Counters.Invalidations, result.Counters.Kicks, result.Counters.Holds,
        result.Counters.Releases, result.Counters.ResidentPages, result.Counters.WiredPages, result.Counters.TablePages,
        result.Counters.Promotions, result.Counters.Demotions,
    ];
}
