using System;
using System.Text;
using Pagoda.Machine;
using Pagoda.Machine.Boot;
using Pagoda.PageTables;
using Pagoda.Tests.Machine.Devices;

namespace Pagoda.Tests.Machine;

/// <summary>Small machines that run a few hand-assembled 32-bit instructions at 10000h.</summary>
internal static class BareMachine
{
    public const uint Start = 0x10000;
    private const ulong ArenaBytes = 8UL << 20;

    /// <summary>Runs the code; a minute at most.</summary>
    public static RunResult Run(byte[] code, out string console, string until = "", TimeSpan? limit = null,
        ulong instructionsMax = ulong.MaxValue)
    {
        var sink = new CollectingSink();
        using var machine = new VirtualMachine(Options(code, until, limit, instructionsMax), sink);
        RunResult result = machine.Run();
        console = sink.Text;
        return result;
    }

    /// <summary>What such a machine is made of.</summary>
    public static MachineOptions Options(byte[] code, string until = "", TimeSpan? limit = null,
        ulong instructionsMax = ulong.MaxValue, ulong arenaBytes = ArenaBytes, TableKind tables = TableKind.Ept,
        ulong? errorCountGpa = null)
    {
        var map = new MemoryMap(MemoryMap.BytesMin, CpuidModel.PhysBits);
        return new MachineOptions
        {
            Memory = map,
            Boot = BootPlan.ForProgram(Start, code, map),
            ArenaBytes = arenaBytes,
            Tables = tables,
            Until = Encoding.ASCII.GetBytes(until),
            TimeLimit = limit ?? TimeSpan.FromMinutes(30),
            InstructionsMax = instructionsMax,
            ErrorCountGpa = errorCountGpa,
        };
    }
}
