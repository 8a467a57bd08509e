using Pagoda.Simulator.Memory;
using Pagoda.Simulator.Scheduling;

namespace Pagoda.Core;

/// <summary>The simulator's twin of the kernel's waits: each hands the baton on.</summary>
public partial struct Wait
{
    private const int StepsAlone = 100_000;

    private int _steps;

    public readonly int Steps => _steps;

    public void Step()
    {
        _steps++;
        if (SimThread.Current is { } thread) thread.Scheduler.WaitStep(thread);
        // Outside a schedule nobody else does anything: what is waited for never comes.
        else if (_steps > StepsAlone) throw new ViolationException("waits for ever behind the schedule");
    }

    /// <summary>Sleeps while the low half of a word is what was seen: test and sleep are one step.</summary>
    public static unsafe void OnWord(ulong* word, ulong seen, uint nanoseconds = 0)
    {
        if (!Processor.TryGet(out Processor by)) return;
        by.Fence(locked: false);
        SimThread thread = SimThread.Current!;
        // Without a clock no while ends: whoever forgets a wake is found.
        _ = nanoseconds;
        if ((uint)*word == (uint)seen) thread.Scheduler.Sleep(thread, (nuint)word);
    }

    /// <summary>Wakes everybody who sleeps on a word.</summary>
    public static unsafe void WakeAll(ulong* word) => Wake(word, all: true);

    /// <summary>For a fault that is planted: wakes one of them.</summary>
    internal static unsafe void WakeOne(ulong* word) => Wake(word, all: false);

    private static unsafe void Wake(ulong* word, bool all)
    {
        if (!Processor.TryGet(out Processor by)) return;
        by.Fence(locked: false);
        SimThread.Current!.Scheduler.Wake((nuint)word, all);
    }
}
