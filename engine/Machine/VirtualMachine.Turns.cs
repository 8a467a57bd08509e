using System;
using System.Diagnostics;
using Pagoda.Diagnostics;
using Pagoda.Machine.Cpu;

namespace Pagoda.Machine;

/// <summary>All processors on one thread: each has its turn, and a run repeats to the counter.</summary>
public sealed unsafe partial class VirtualMachine
{
    private const long TurnInstructions = 10_000;
    private const int ObservationsPerSecond = 4;

    private RunEnd RunTurns(long started, IRunObserver? observer, ref AllocationMeter meter)
    {
        long deadline = Deadline(started);
        long observation = observer is null ? long.MaxValue : started;
        bool isTimed = deadline != long.MaxValue || observer is not null;
        while (true)
        {
            _ender = _schedule.Next();
            if (_ender is null) return RunEnd.Halt;
            if (Turn(_ender, out RunEnd end)) return end;
            if (!isTimed) continue;
            long now = Stopwatch.GetTimestamp();
            if (now >= deadline) return RunEnd.Timeout;
            if (now >= observation) observation = Observe(observer!, now, started, ref meter);
        }
    }

    /// <summary>Gives a processor one turn; true when the run has ended. On the processor's thread.</summary>
    private bool Turn(Processor processor, out RunEnd end)
    {
        VcpuExit exit = processor.Run(TurnInstructions);
        StepBudget();
        _devices.Lock.Acquire();
        _console.Flush();
        processor.UpdateIdle();
        bool hasFailed = _console.HasFailed;
        bool isTextFound = _console.IsTextFound;
        _devices.Lock.Release();
        end = RunEnd.Error;
        if (hasFailed) return true;
        if (isTextFound)
        {
            end = RunEnd.Until;
            return true;
        }
        switch (exit)
        {
            case VcpuExit.BudgetExhausted or VcpuExit.Paused or VcpuExit.Halted or VcpuExit.WaitingForStartup:
                end = RunEnd.Timeout;
                return _options.InstructionsMax != ulong.MaxValue && TotalInstructions() >= _options.InstructionsMax;
            case VcpuExit.TripleFault:
                end = RunEnd.TripleFault;
                return true;
            default:
                return true;
        }
    }

    /// <summary>Shows the observer where the run is; when to do so again.</summary>
    private long Observe(IRunObserver observer, long now, long started, ref AllocationMeter meter)
    {
        meter.Pause();
        // The counters without the lock: they wait for a change of the guest, which waits for processors, which may
        // wait for the lock.
        GuestCounters counters = Guest.Counters;
        // Nobody writes the console meanwhile.
        _devices.Lock.Acquire();
        observer.Observe(Progress(now - started, in counters));
        _devices.Lock.Release();
        meter.Resume();
        return now + Stopwatch.Frequency / ObservationsPerSecond;
    }

    private long Deadline(long started)
    {
        if (_options.TimeLimit is not TimeSpan limit) return long.MaxValue;
        double ticks = limit.TotalSeconds * Stopwatch.Frequency;
        return ticks < long.MaxValue - started ? started + (long)ticks : long.MaxValue;
    }

    private ulong TotalInstructions()
    {
        ulong total = 0;
        foreach (Processor processor in _processors) total += processor.Instructions;
        return total;
    }
}
