using System.Diagnostics;
using System.Threading;
using Pagoda.Core;

namespace Pagoda.Machine;

/// <summary>A host thread for each processor; the caller's thread watches.</summary>
/// <remarks>
/// The threads are started before the run is measured and wait at a gate. One that finds the run's end says so in a
/// word; all look at it between turns and leave.
/// </remarks>
public sealed unsafe partial class VirtualMachine
{
    private readonly MachineLock _budgetLock = new();
    private RunEnd _threadsEnd;

    private Thread[] StartThreads()
    {
        var threads = new Thread[_processors.Length];
        for (int i = 0; i < threads.Length; i++)
        {
            Processor processor = _processors[i];
            threads[i] = new Thread(() => RunThread(processor)) { IsBackground = true, Name = "vCPU " + i };
            threads[i].Start();
        }
        WaitForCount(&_threads->Ready, (ulong)threads.Length);
        return threads;
    }

    private RunEnd RunThreads(long started, IRunObserver? observer, ref AllocationMeter meter)
    {
        long deadline = Deadline(started);
        long observation = observer is null ? long.MaxValue : started;
        Shared.Store(&_threads->Gate, 1);
        Wait.WakeAll(&_threads->Gate);
        while (Shared.Load(&_threads->Ended) == 0)
        {
            Wait.OnWord(&_threads->Ended, 0);
            long now = Stopwatch.GetTimestamp();
            if (now >= deadline) Conclude(RunEnd.Timeout, _processors[0]);
            if (now >= observation) observation = Observe(observer!, now, started, ref meter);
        }
        WaitForCount(&_threads->Left, (ulong)_processors.Length);
        meter.Add((long)Shared.Load(&_threads->AllocatedBytes));
        return _threadsEnd;
    }

    private void RunThread(Processor processor)
    {
        Shared.Increment(&_threads->Ready);
        Wait.WakeAll(&_threads->Ready);
        while (Shared.Load(&_threads->Gate) == 0) Wait.OnWord(&_threads->Gate, 0);
        var meter = default(AllocationMeter);
        meter.Start();
        while (Shared.Load(&_threads->Ended) == 0)
        {
            if (processor.IsIdle) WaitWhileIdle(processor);
            _schedule.WaitForOthers(processor, &_threads->Ended);
            if (Shared.Load(&_threads->Ended) != 0) break;
            if (Turn(processor, out RunEnd end)) Conclude(end, processor);
            _schedule.Publish(processor);
        }
        meter.Stop();
        Shared.Add(&_threads->AllocatedBytes, (ulong)meter.Bytes);
        Shared.Increment(&_threads->Left);
        Wait.WakeAll(&_threads->Left);
    }

    // The processor that finds that all are idle, and that no timer will wake one, ends the run.
    private void WaitWhileIdle(Processor processor)
    {
        while (Shared.Load(&_threads->Ended) == 0)
        {
            _devices.Lock.Acquire();
            processor.UpdateIdle();
            bool isIdle = processor.IsIdle;
            bool isOver = isIdle && _schedule.Next() is null;
            _devices.Lock.Release();
            if (isOver) Conclude(RunEnd.Halt, processor);
            if (!isIdle || isOver) return;
            processor.Vcpu.WaitUntilRunnable();
        }
    }

    /// <summary>Ends the run, if it has not ended already.</summary>
    private void Conclude(RunEnd end, Processor processor)
    {
        _devices.Lock.Acquire();
        if (Shared.Load(&_threads->Ended) == 0)
        {
            _threadsEnd = end;
            _ender = processor;
            Shared.Store(&_threads->Ended, 1);
        }
        _devices.Lock.Release();
        Wait.WakeAll(&_threads->Ended);
        _schedule.WakeWaiters();
        foreach (Processor other in _processors) other.Vcpu.RequestStop();
    }

    private static void WaitForCount(ulong* cell, ulong count)
    {
        for (ulong seen = Shared.Load(cell); seen < count; seen = Shared.Load(cell)) Wait.OnWord(cell, seen);
    }

    // Between turns; whoever comes first while another does it goes on without.
    private void StepBudget()
    {
        if (_budget is null || !_budgetLock.TryAcquire()) return;
        _budget.Step();
        _budgetLock.Release();
    }

    /// <summary>How the threads meet.</summary>
    private struct ThreadCells
    {
        public ulong Ready;
        public ulong Gate;
        public ulong Ended;
        public ulong Left;
        public ulong AllocatedBytes;
    }
}
