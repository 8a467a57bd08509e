using System;
using System.IO;
using Iced.Intel;
using Pagoda.Machine;
using Pagoda.Machine.Boot;
using Pagoda.Machine.BuiltinGuest;
using Pagoda.PageTables;
using Pagoda.Tests.Machine.Devices;
using static Iced.Intel.AssemblerRegisters;

namespace Pagoda.Tests.Machine;

/// <summary>Small machines of several processors.</summary>
internal static class TeamMachine
{
    /// <summary>Where <see cref="WithOther"/> lets the second processor start.</summary>
    public const uint StartGpa = 0x20000;

    private const ulong ArenaBytes = 8UL << 20;

    /// <summary>Runs the built-in guest.</summary>
    public static RunResult RunBuiltin(int processors, bool threads, out string console,
        TableKind tables = TableKind.Ept, bool hardwareAd = true)
    {
        var map = new MemoryMap(MemoryMap.BytesMin, CpuidModel.PhysBits);
        var boot = BootPlan.ForProgram(MemoryCheckProgram.Gpa, MemoryCheckProgram.Assemble(processors), map);
        return Run(boot, map, processors, threads, out console, MemoryCheckProgram.ErrorCountGpa, tables, hardwareAd);
    }

    /// <summary>Runs 32-bit code at 10000h on the first of two processors, and 16-bit code at 20000h.</summary>
    public static RunResult RunPair(Action<Assembler> first, Action<Assembler> second, bool threads,
        out string console)
    {
        var program = new MemoryStream();
        Emit(program, 32, BareMachine.Start, first);
        program.SetLength(StartGpa - BareMachine.Start);
        program.Position = program.Length;
        Emit(program, 16, 0, second);
        var map = new MemoryMap(MemoryMap.BytesMin, CpuidModel.PhysBits);
        return Run(BootPlan.ForProgram(BareMachine.Start, program.ToArray(), map), map, 2, threads, out console);
    }

    /// <summary>INIT and start-up messages from the first processor to the second.</summary>
    public static void StartSecond(Assembler c)
    {
        c.mov(__dword_ptr[0xFEE0_0310], 1 << 24);
        c.mov(__dword_ptr[0xFEE0_0300], 0x4500);
        c.mov(__dword_ptr[0xFEE0_0300], 0x4600 | (int)(StartGpa >> 12));
    }

    /// <summary>Sends one character over the serial line.</summary>
    public static void Send(Assembler c, char letter)
    {
        c.mov(dx, 0x3F8);
        c.mov(al, (byte)letter);
        c.@out(dx, al);
    }

    private static void Emit(MemoryStream program, int bits, ulong address, Action<Assembler> emit)
    {
        var assembler = new Assembler(bits);
        emit(assembler);
        assembler.Assemble(new StreamCodeWriter(program), address);
    }

    private static RunResult Run(BootPlan boot, MemoryMap map, int processors, bool threads, out string console,
        ulong? errorCountGpa = null, TableKind tables = TableKind.Ept, bool hardwareAd = true)
    {
        var sink = new CollectingSink();
        using var machine = new VirtualMachine(new MachineOptions
        {
            Memory = map,
            Boot = boot,
            ArenaBytes = ArenaBytes,
            Processors = processors,
            Threads = threads,
            Tables = tables,
            HardwareAd = hardwareAd,
            TimeLimit = TimeSpan.FromMinutes(30),
            ErrorCountGpa = errorCountGpa,
        }, sink);
        RunResult result = machine.Run();
        console = sink.Text;
        return result;
    }
}
