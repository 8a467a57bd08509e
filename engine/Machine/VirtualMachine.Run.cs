using System;
using System.Buffers.Binary;
using System.Diagnostics;
using System.Threading;
using Pagoda.Core;
using Pagoda.Diagnostics;
using Pagoda.Machine.Cpu;
using Pagoda.Machine.Devices;

namespace Pagoda.Machine;

public sealed unsafe partial class VirtualMachine
{
    private Processor? _ender;

    /// <summary>Runs until the guest ends, sends the awaited text, or is out of time. Once in its life.</summary>
    /// <param name="observer">Watches the run; null for none.</param>
    public RunResult Run(IRunObserver? observer = null)
    {
        Thread[]? threads = _options.Threads ? StartThreads() : null;
        var meter = default(AllocationMeter);
        meter.Start();
        long started = Stopwatch.GetTimestamp();
        RunEnd end = threads is null
            ? RunTurns(started, observer, ref meter)
            : RunThreads(started, observer, ref meter);
        long elapsed = Stopwatch.GetTimestamp() - started;
        meter.Stop();
        if (threads is not null) Array.ForEach(threads, thread => thread.Join());
        return Report(end, Stopwatch.GetElapsedTime(0, elapsed), in meter);
    }

    private RunProgress Progress(long ticks, in GuestCounters counters) => new()
    {
        Elapsed = Stopwatch.GetElapsedTime(0, ticks),
        GuestInstructions = TotalInstructions(),
        Counters = counters,
        IsInsideControlSequence = _console.IsInsideControlSequence,
    };

    private RunResult Report(RunEnd end, TimeSpan elapsed, in AllocationMeter meter)
    {
        string message = Explain(end);
        if (end == RunEnd.Halt && message.Length > 0) end = RunEnd.Error;
        var tail = new byte[SerialConsole.TailBytes];
        int tailBytes = _console.CopyTail(tail);
        var instructions = new ulong[_processors.Length];
        ulong mmioExits = 0, ioExits = 0, time = 0;
        foreach (Processor processor in _processors)
        {
            instructions[processor.Index] = processor.Instructions;
            mmioExits += processor.Bus.MmioExits;
            ioExits += processor.Bus.IoExits;
            time = Math.Max(time, processor.Clock);
        }
        return new RunResult
        {
            End = end,
            Message = message,
            Elapsed = elapsed,
            GuestInstructions = TotalInstructions(),
            ProcessorInstructions = instructions,
            VirtualNanoseconds = time,
            ConsoleTail = tail.AsMemory(0, tailBytes),
            Counters = Guest.Counters,
            MmioExits = mmioExits,
            IoExits = ioExits,
            UnclaimedAccesses = _devices.Ports.UnclaimedReads + _devices.Ports.UnclaimedWrites,
            ManagedBytesAllocated = meter.Bytes,
            GcCollections = meter.Collections,
        };
    }

    private string Explain(RunEnd end)
    {
        if (end == RunEnd.Halt) return ExplainHalt();
        bool isError = end == RunEnd.Error;
        if (isError && _console.HasFailed) return "the console's output could not be written.";
        if (_ender is null || !(isError || end == RunEnd.TripleFault)) return "";
        SoftVcpu vcpu = _ender.Vcpu;
        string why = _ender.LastExit switch
        {
            VcpuExit.TripleFault => "the processor shut down, a triple fault: " + vcpu.DescribeRegisters(),
            VcpuExit.Unsupported => "the guest needs what the processor has not: " + vcpu.DescribeUnsupported(),
            VcpuExit.MemoryError => MemoryBudget.Explain(_budget, _ender.Memory.LastFailure,
                _ender.Memory.LastFailureGpa) + " " + vcpu.DescribeRegisters(),
            _ => "the guest asked for a reset: " + vcpu.DescribeRegisters(),
        };
        return _processors.Length == 1 ? why : "processor " + _ender.Index + ": " + why;
    }

    private string ExplainHalt()
    {
        if (_options.ErrorCountGpa is not ulong gpa) return "";
        Span<byte> cell = stackalloc byte[sizeof(ulong)];
        Guest.Read(new Gpa(gpa), cell);
        ulong errors = BinaryPrimitives.ReadUInt64LittleEndian(cell);
        return errors == 0 ? "" : "the guest found " + errors + " errors in its memory.";
    }
}
