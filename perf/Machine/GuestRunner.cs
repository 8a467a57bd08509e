using System;
using System.Globalization;
using System.IO;
using System.Text;
using Pagoda.Machine;
using Pagoda.Machine.Boot;
using Pagoda.Machine.BuiltinGuest;
using Pagoda.Machine.Devices;
using Pagoda.PageTables;

namespace Pagoda.Perf.Machine;

/// <summary>
/// How fast guests run: the built-in one in each format of nested tables and, given its kernel, the memory tester for
/// one pass, beside QEMU's translator on the same kernel where that is installed.
/// </summary>
internal static class GuestRunner
{
    private const ulong MemoryBytes = 16UL << 20;
    private const ulong ArenaBytes = 20UL << 20;
    private const string CommandLine = "console=ttyS0,115200";
    private static readonly byte[] s_passText = Encoding.ASCII.GetBytes("Pass:  1");

    /// <summary>Runs and prints; the kernel may be null.</summary>
    /// <returns>False when a guest did not end well.</returns>
    public static bool Run(string? kernel, TextWriter output)
    {
        bool good = RunOne("built-in, EPT", null, TableKind.Ept, hardwareAd: true, output, out _)
            & RunOne("built-in, EPT without A/D", null, TableKind.Ept, hardwareAd: false, output, out _)
            & RunOne("built-in, NPT", null, TableKind.Rvi, hardwareAd: true, output, out _);
        if (kernel is null) return good;
        good &= RunOne("memory tester, EPT", kernel, TableKind.Ept, hardwareAd: true, output, out ulong instructions);
        TimeSpan? peer = QemuPeer.Run(kernel, CommandLine, MemoryBytes, s_passText);
        output.WriteLine(peer is null
            ? "QEMU's translator: not installed here"
            : Describe("memory tester, QEMU TCG", instructions, peer.Value) + ", counting our instructions");
        return good;
    }

    private static bool RunOne(string name, string? kernel, TableKind tables, bool hardwareAd, TextWriter output,
        out ulong instructions)
    {
        var map = new MemoryMap(MemoryBytes, CpuidModel.PhysBits);
        BootPlan boot = kernel is null
            ? BootPlan.ForProgram(MemoryCheckProgram.Gpa, MemoryCheckProgram.Assemble(), map)
            : BootPlan.ForKernel(KernelImage.Parse(File.ReadAllBytes(kernel)), CommandLine, map);
        var options = new MachineOptions
        {
            Memory = map,
            Boot = boot,
            ArenaBytes = ArenaBytes,
            Tables = tables,
            HardwareAd = hardwareAd,
            Until = kernel is null ? ReadOnlyMemory<byte>.Empty : s_passText,
            ErrorCountGpa = kernel is null ? MemoryCheckProgram.ErrorCountGpa : null,
        };
        using var machine = new VirtualMachine(options, new SilentSink());
        VirtualMachine.Warm(options);
        RunResult result = machine.Run();
        instructions = result.GuestInstructions;
        output.WriteLine(Describe(name, instructions, result.Elapsed) + string.Create(CultureInfo.InvariantCulture,
            $", {result.Counters.NestedFaults} nested faults, {result.ManagedBytesAllocated} managed bytes"));
        RunEnd expected = kernel is null ? RunEnd.Halt : RunEnd.Until;
        if (result.End == expected) return true;
        output.WriteLine("perf: " + name + " ended as " + result.End + ": " + result.Message);
        return false;
    }

    private static string Describe(string name, ulong instructions, TimeSpan elapsed) => string.Create(
        CultureInfo.InvariantCulture,
        $"{name,-26} {instructions / elapsed.TotalSeconds / 1e6,7:0} MIPS, {instructions} instructions in" +
        $" {elapsed.TotalSeconds:0.0} s");

    private sealed class SilentSink : IConsoleSink
    {
        public bool Write(ReadOnlySpan<byte> bytes) => true;
    }
}
