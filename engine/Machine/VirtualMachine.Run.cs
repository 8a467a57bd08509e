using System;
using System.Buffers.Binary;
using System.Diagnostics;
using Pagoda.Core;
using Pagoda.Machine.Cpu;
using Pagoda.Machine.Devices;

namespace Pagoda.Machine;

public sealed unsafe partial class VirtualMachine
{
    private const long TurnInstructions = 10_000;
    private const int ObservationsPerSecond = 4;
    private VcpuExit _exit;

    /// <summary>Runs until the guest ends, sends the awaited text, or is out of time. Once in its life.</summary>
    /// <param name="observer">Watches the run; null for none.</param>
    public RunResult Run(IRunObserver? observer = null)
    {
        var meter = default(AllocationMeter);
        meter.Start();
        long started = Stopwatch.GetTimestamp();
        RunEnd end = observer is null ? RunGuest(started) : RunObserved(started, observer, ref meter);
        long elapsed = Stopwatch.GetTimestamp() - started;
        meter.Stop();
        return Report(end, Stopwatch.GetElapsedTime(0, elapsed), in meter);
    }

    private RunEnd RunGuest(long started)
    {
        long deadline = Deadline(started);
        while (true)
        {
            if (Turn(out RunEnd end)) return end;
            if (deadline != long.MaxValue && Stopwatch.GetTimestamp() >= deadline) return RunEnd.Timeout;
        }
    }

    private RunEnd RunObserved(long started, IRunObserver observer, ref AllocationMeter meter)
    {
        long deadline = Deadline(started);
        long next = started;
        while (true)
        {
            if (Turn(out RunEnd end)) return end;
            long now = Stopwatch.GetTimestamp();
            if (now >= deadline) return RunEnd.Timeout;
            if (now < next) continue;
            next = now + Stopwatch.Frequency / ObservationsPerSecond;
            meter.Pause();
            observer.Observe(Progress(now - started));
            meter.Resume();
        }
    }

    /// <summary>Gives the vCPU one turn; true when the run has ended.</summary>
    private bool Turn(out RunEnd end)
    {
        VcpuExit exit = _vcpu.Run(TurnInstructions);
        _budget?.Step();
        _console.Flush();
        end = RunEnd.Error;
        if (_console.HasFailed) return true;
        if (_console.IsTextFound)
        {
            end = RunEnd.Until;
            return true;
        }
        switch (exit)
        {
            case VcpuExit.BudgetExhausted:
                end = RunEnd.Timeout;
                return _vcpu.Instructions >= _options.InstructionsMax;
            case VcpuExit.Halted: end = RunEnd.Halt; break;
            case VcpuExit.TripleFault: end = RunEnd.TripleFault; break;
            default: break;
        }
        _exit = exit;
        return true;
    }

    private long Deadline(long started)
    {
        if (_options.TimeLimit is not TimeSpan limit) return long.MaxValue;
        double ticks = limit.TotalSeconds * Stopwatch.Frequency;
        return ticks < long.MaxValue - started ? started + (long)ticks : long.MaxValue;
    }

    private RunProgress Progress(long ticks) => new()
    {
        Elapsed = Stopwatch.GetElapsedTime(0, ticks),
        GuestInstructions = _vcpu.Instructions,
        Counters = Guest.Counters,
        IsInsideControlSequence = _console.IsInsideControlSequence,
    };

    private RunResult Report(RunEnd end, TimeSpan elapsed, in AllocationMeter meter)
    {
        string message = Explain(end);
        if (end == RunEnd.Halt && message.Length > 0) end = RunEnd.Error;
        var tail = new byte[SerialConsole.TailBytes];
        int tailBytes = _console.CopyTail(tail);
        return new RunResult
        {
            End = end,
            Message = message,
            Elapsed = elapsed,
            GuestInstructions = _vcpu.Instructions,
            VirtualNanoseconds = _vcpu.TimeNanoseconds,
            ConsoleTail = tail.AsMemory(0, tailBytes),
            Counters = Guest.Counters,
            MmioExits = _bus.MmioExits,
            IoExits = _bus.IoExits,
            UnclaimedAccesses = _ports.UnclaimedReads + _ports.UnclaimedWrites,
            ManagedBytesAllocated = meter.Bytes,
            GcCollections = meter.Collections,
        };
    }

    private string Explain(RunEnd end)
    {
        if (end == RunEnd.Halt) return ExplainHalt();
        if (end == RunEnd.TripleFault) return "the processor shut down, a triple fault: " + _vcpu.DescribeRegisters();
        if (end != RunEnd.Error) return "";
        if (_console.HasFailed) return "the console's output could not be written.";
        return _exit switch
        {
            VcpuExit.Unsupported => "the guest needs what the processor has not: " + _vcpu.DescribeUnsupported(),
            VcpuExit.MemoryError => ExplainMemory() + _vcpu.DescribeRegisters(),
            _ => "the guest asked for a reset: " + _vcpu.DescribeRegisters(),
        };
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
