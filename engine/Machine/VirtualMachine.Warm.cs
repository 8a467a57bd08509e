using System;
using Pagoda.Core;
using Pagoda.Machine.Boot;
using Pagoda.Machine.BuiltinGuest;
using Pagoda.Machine.Devices;

namespace Pagoda.Machine;

public sealed unsafe partial class VirtualMachine
{
    private const ulong WarmArenaBytes = 8UL << 20;
    private const ulong WarmInstructionsMax = 20_000_000;

    /// <summary>
    /// Runs the built-in guest for a moment on a small machine of the same kind, so that code is compiled and what is
    /// made once is made before a run is measured. Takes a few tenths of a second.
    /// </summary>
    /// <param name="options">The machine to come.</param>
    public static void Warm(MachineOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var map = new MemoryMap(MemoryMap.BytesMin, CpuidModel.PhysBits);
        using var machine = new VirtualMachine(new MachineOptions
        {
            Memory = map,
            Boot = BootPlan.ForProgram(MemoryCheckProgram.Gpa, MemoryCheckProgram.Assemble(), map),
            ArenaBytes = WarmArenaBytes,
            Tables = options.Tables,
            HardwareAd = options.HardwareAd,
            Superpages = options.Superpages,
            Until = new byte[] { 0 },
            TimeLimit = TimeSpan.FromMinutes(1),
            InstructionsMax = WarmInstructionsMax,
        }, new NullSink());
        machine.Run();
    }

    /// <summary>Takes everything and keeps nothing.</summary>
    [AllocationFree]
    private sealed class NullSink : IConsoleSink
    {
        /// <inheritdoc/>
        public bool Write(ReadOnlySpan<byte> bytes) => true;
    }
}
