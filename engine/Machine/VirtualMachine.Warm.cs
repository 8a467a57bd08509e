using System;
using System.IO;
using Pagoda.Core;
using Pagoda.Machine.Boot;
using Pagoda.Machine.BuiltinGuest;
using Pagoda.Machine.Devices;
using Pagoda.Pagers;

namespace Pagoda.Machine;

public sealed unsafe partial class VirtualMachine
{
    private const ulong WarmArenaBytes = 8UL << 20;
    private const int WarmProcessorsMax = 2;
    private const ulong WarmInstructionsMax = 20_000_000;
    private const ulong WarmInstructionsMaxSwapping = 4_000_000;

    /// <summary>
    /// Runs the built-in guest for a moment on a small machine of the same kind, so that code is compiled and what is
    /// made once is made before a run is measured. Takes a few tenths of a second.
    /// </summary>
    /// <param name="options">The machine to come. If it swaps, so does the small one, to a temporary file.</param>
    /// <exception cref="SwapException">There is no room for temporary files.</exception>
    public static void Warm(MachineOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        int processors = Math.Min(options.Processors, WarmProcessorsMax);
        bool swaps = options.Swap is not null;
        var map = new MemoryMap(MemoryMap.BytesMin, CpuidModel.PhysBits);
        using var machine = new VirtualMachine(new MachineOptions
        {
            Memory = map,
            Boot = BootPlan.ForProgram(MemoryCheckProgram.Gpa, MemoryCheckProgram.Assemble(processors), map),
            Processors = processors,
            Threads = options.Threads,
            ArenaBytes = WarmArenaBytes,
            Tables = options.Tables,
            HardwareAd = options.HardwareAd,
            Superpages = options.Superpages,
            Policy = options.Policy,
            ResidentBytes = swaps ? ResidentBytesMin(map.Bytes) : 0,
            Swap = swaps ? Path.Combine(Path.GetTempPath(), "pagoda-" + Path.GetRandomFileName()) : null,
            Until = new byte[] { 0 },
            TimeLimit = TimeSpan.FromMinutes(1),
            InstructionsMax = swaps ? WarmInstructionsMaxSwapping : WarmInstructionsMax,
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
