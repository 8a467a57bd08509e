using System;
using System.Diagnostics;
using System.Threading;
using Pagoda.Core;
using Pagoda.Linux;

namespace Pagoda.Perf.Scaling;

/// <summary>The calling thread and another, which start a round in the same moment.</summary>
internal sealed class ThreadPair : IDisposable
{
    // Longer than the slice of a thread that has to get off the other processor first.
    private const int SpinsBeforeYield = 50_000;

    private readonly Thread _other;
    private readonly long[] _started = new long[2];
    private readonly long[] _ended = new long[2];
    private readonly long[] _used = new long[2];
    private Action<int>? _work;
    private int _arrived;

    public ThreadPair()
    {
        _other = new Thread(Serve) { IsBackground = true };
        _other.Start();
    }

    /// <summary>Runs work(0) here and work(1) there.</summary>
    public RoundTime Together(Action<int> work)
    {
        Volatile.Write(ref _work, work);
        Meet();
        Meet();
        Time(0, work);
        Meet();
        long started = Math.Min(_started[0], _started[1]);
        long ended = Math.Max(_ended[0], _ended[1]);
        return new RoundTime(Stopwatch.GetElapsedTime(started, ended).TotalNanoseconds, _used[0] + _used[1]);
    }

    /// <summary>Runs work(0) and then work(1), both here.</summary>
    public RoundTime Alone(Action<int> work)
    {
        Time(0, work);
        RoundTime first = Taken();
        Time(0, _ => work(1));
        RoundTime second = Taken();
        return new RoundTime(first.Wall + second.Wall, first.Processor + second.Processor);
    }

    public void Dispose()
    {
        Volatile.Write(ref _work, null);
        Meet();
        _other.Join();
    }

    private RoundTime Taken() =>
        new(Stopwatch.GetElapsedTime(_started[0], _ended[0]).TotalNanoseconds, _used[0]);

    private void Serve()
    {
        while (true)
        {
            Meet();
            Action<int>? work = Volatile.Read(ref _work);
            if (work is null) return;
            // Twice: at the second meeting both are awake.
            Meet();
            Time(1, work);
            Meet();
        }
    }

    private void Time(int index, Action<int> work)
    {
        long used = ProcessorTime();
        long started = Stopwatch.GetTimestamp();
        work(index);
        long ended = Stopwatch.GetTimestamp();
        _used[index] = ProcessorTime() - used;
        _started[index] = started;
        _ended[index] = ended;
    }

    /// <summary>Waits for the other thread to come here too.</summary>
    private void Meet()
    {
        int arrived = Interlocked.Increment(ref _arrived);
        int both = (arrived + 1) & ~1;
        for (int spins = 0; Volatile.Read(ref _arrived) < both; spins++)
        {
            if (spins < SpinsBeforeYield) Thread.SpinWait(1);
            else Thread.Yield();
        }
    }

    private static long ProcessorTime()
    {
        int errno = Libc.ThreadTime(out long nanoseconds);
        Invariant.Require(errno == 0);
        return nanoseconds;
    }
}
