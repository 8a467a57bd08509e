using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text;
using Pagoda.Simulator.Checks;
using Pagoda.Simulator.Memory;

namespace Pagoda.Simulator.Scheduling;

/// <summary>Runs actors one step at a time: each shared access and each wait is a step.</summary>
/// <remarks>
/// The actor that has the baton decides itself who is next, so a hand-over is one switch of threads. Fairness: behind
/// <see cref="FairSteps"/> every actor gets its turn and stores leave their buffers at once; a schedule that does not
/// end by <see cref="LimitSteps"/> has a wait that never ends. Threads are kept from one schedule to the next.
/// </remarks>
internal sealed class Scheduler(int processor)
{
    public const int FairSteps = 400_000;
    public const int LimitSteps = 800_000;
    private const int FairRun = 500;
    private const int RunMax = 20_000;      // the limit is looked at between runs
    private const int RoundsWithoutChange = 8;

    /// <summary>Stands for whatever a transfer changes.</summary>
    public static readonly unsafe void* AnyCell = (void*)1;

    private readonly List<SimThread> _threads = [];
    private readonly Baton _host = new();
    private readonly int _processor = processor;
    private Policy _policy = null!;
    private string? _failure;
    private string? _failureStack;
    private int _countdown;
    private int _granted;
    private int _idleWaits;
    private long _changes;
    private long _changesSeen;

    public MemoryMode Mode { get; private set; }

    /// <summary>Who owns the frames.</summary>
    public FrameWatch Watch { get; private set; } = null!;

    /// <summary>Hears of what changes; null when nobody listens.</summary>
    public StepLog? Log { get; set; }

    /// <summary>Where the bookkeeping of its worlds lies.</summary>
    public RegionStock Stock { get; } = new();

    /// <summary>Who is in which consumer slot.</summary>
    public SlotWatch Slots { get; private set; } = null!;

    /// <summary>Sees guests' stores; null when nobody does.</summary>
    public IStoreObserver? Observer { get; set; }

    /// <summary>Actors of the schedule.</summary>
    public int Count { get; private set; }

    public long Steps { get; private set; }

    public int Handovers { get; private set; }

    /// <summary>A number that two runs of one schedule share, and two schedules hardly ever.</summary>
    public ulong Trace { get; private set; }

    /// <summary>The schedule has ended with a violation: actors unwind.</summary>
    public bool IsOver => _failure is not null;

    public string? Failure => _failure;

    public string? FailureStack => _failureStack;

    public bool IsFair => Steps > FairSteps;

    public SimThread this[int index] => _threads[index];

    /// <summary>Forgets the last schedule.</summary>
    public void Reset(MemoryMode mode)
    {
        Mode = mode;
        Watch ??= new FrameWatch(this);
        Watch.Detach();
        Slots ??= new SlotWatch(this);
        Slots.Detach();
        Observer = null;
        Count = 0;
        Steps = 0;
        Handovers = 0;
        Trace = 0;
        _failure = null;
        _failureStack = null;
        _idleWaits = 0;
        _changes = 0;
        _changesSeen = 0;
    }

    /// <summary>Adds an actor to the schedule that comes.</summary>
    public int Add(string name, Action body)
    {
        if (Count == _threads.Count) _threads.Add(new SimThread(this, Count, _processor));
        _threads[Count].Buffer.Clear();
        _threads[Count].Prepare(name, body);
        return Count++;
    }

    /// <summary>Runs the actors to their ends, or to the first violation.</summary>
    public void Run(Policy policy)
    {
        _policy = policy;
        if (Count == 0) return;
        int first = policy.Begin(this);
        Grant();
        _threads[first].Baton.Pass();
        _host.Await();
    }

    /// <summary>What the step that is being decided about accesses; null for what has no address.</summary>
    public unsafe void* Cell { get; private set; }

    /// <summary>That step may change the cell.</summary>
    public bool Writes { get; private set; }

    /// <summary>One step of the calling actor is about to happen.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public unsafe void Step(SimThread thread, void* cell, bool writes)
    {
        if (--_countdown >= 0) return;
        Cell = cell;
        Writes = writes;
        Decide(thread, waits: false);
    }

    /// <summary>The order is decided here whatever the run length: an I/O ends, an actor yields.</summary>
    public unsafe void Point(SimThread thread)
    {
        Cell = AnyCell;
        Writes = true;
        Decide(thread, waits: false);
    }

    /// <summary>The calling actor waits: it goes on when something has changed, or by and by.</summary>
    public void WaitStep(SimThread thread)
    {
        ThrowIfOver();
        if (_changes != _changesSeen)
        {
            _changesSeen = _changes;
            _idleWaits = 0;
        }
        thread.IsWaiting = true;
        thread.WaitsSince = _changes;
        // Everybody waits for a change, and nobody has one in a buffer.
        if (++_idleWaits > RoundsWithoutChange * Count && AllWait()) Fail("deadlock: " + Describe());
        if (_idleWaits > Count) DrainEverybody();
        Decide(thread, waits: true);
        thread.IsWaiting = false;
    }

    /// <summary>The calling actor sleeps until it is woken; the test that it made is part of the same step.</summary>
    public void Sleep(SimThread thread, nuint word)
    {
        Slots.Sleeps(thread.Index);
        thread.SleepsOn = word;
        Decide(thread, waits: true);
    }

    /// <summary>Wakes everybody who sleeps on a word, or the first of them.</summary>
    public void Wake(nuint word, bool all)
    {
        for (int i = 0; i < Count; i++)
        {
            if (_threads[i].SleepsOn != word) continue;
            _threads[i].SleepsOn = 0;
            if (!all) break;
        }
        Changed();
    }

    /// <summary>Memory changed: whoever waits has a reason to look again.</summary>
    public void Changed() => _changes++;

    /// <summary>How often it did.</summary>
    public long Changes => _changes;

    /// <summary>Adds to what identifies the schedule.</summary>
    public void Mix(ulong value) => Trace = (Trace ^ value) * 0x9E37_79B9_7F4A_7C15 + (Trace >> 29);

    /// <summary>Ends the schedule: a promise of the protocols was broken.</summary>
    [DoesNotReturn]
    public void Fail(string message)
    {
        var violation = new ViolationException(message);
        End(SimThread.Current is { } thread ? thread.Name + ": " + message : message, Environment.StackTrace);
        throw violation;
    }

    public void ThrowIfOver()
    {
        if (IsOver) throw new AbandonedException();
    }

    /// <summary>An actor ended by an exception.</summary>
    public void Report(SimThread thread, Exception failure)
    {
        if (!IsOver) End(thread.Name + ": " + failure.GetType().Name + ": " + failure.Message, failure.ToString());
    }

    /// <summary>The calling actor has finished: hands the baton on for good.</summary>
    public void Leave()
    {
        int next;
        Account();
        try
        {
            next = PickAfterEnd();
        }
        catch (Exception failure)
        {
            // The thread has nobody above it: whatever went wrong ends the schedule.
            Report(SimThread.Current!, failure);
            next = NextToUnwind();
        }
        Changed();
        Handovers++;
        if (next < 0) _host.Pass();
        else _threads[next].Baton.Pass();
    }

    private void End(string failure, string stack)
    {
        _failure ??= failure;
        _failureStack ??= stack;
        // Nobody is interrupted any more while the actors unwind, one after another.
        _countdown = int.MaxValue;
    }

    private int PickAfterEnd()
    {
        if (IsOver) return NextToUnwind();
        // Nobody may be woken by this: it would hide a wake that is missing.
        if (AnyAlive() < 0)
        {
            DrainEverybody();
            return -1;
        }
        int next = Pick(-1, waits: false);
        Grant();
        return next;
    }

    private int AnyAlive()
    {
        for (int i = 0; i < Count; i++)
        {
            if (_threads[i].IsAlive) return i;
        }
        return -1;
    }

    /// <summary>The schedule is over: sleepers end too.</summary>
    private int NextToUnwind()
    {
        int next = AnyAlive();
        if (next >= 0) _threads[next].SleepsOn = 0;
        return next;
    }

    private void Decide(SimThread thread, bool waits)
    {
        ThrowIfOver();
        Account();
        if (Steps > LimitSteps) Fail("livelock: the schedule does not end: " + Describe());
        int next = Pick(thread.IsReady ? thread.Index : -1, waits);
        Grant();
        if (next == thread.Index) return;
        Handovers++;
        Mix((ulong)next);
        _threads[next].Baton.Pass();
        thread.Baton.Await();
        ThrowIfOver();
    }

    private void Account()
    {
        if (!IsOver) Steps += _granted - int.Max(_countdown, 0);
    }

    private int Pick(int current, bool waits)
    {
        if (!AnyReady()) Fail("deadlock: everybody sleeps: " + Describe());
        if (!IsFair) return _policy.Choose(this, current, waits);
        DrainEverybody();
        int next = current < 0 ? 0 : current;
        do next = (next + 1) % Count;
        while (!_threads[next].IsReady);
        return next;
    }

    private void Grant()
    {
        _granted = IsFair ? FairRun : int.Clamp(_policy.RunLength(this), 1, RunMax);
        // The step that is being decided about is the first of them.
        _countdown = _granted - 1;
    }

    private bool AnyReady()
    {
        for (int i = 0; i < Count; i++)
        {
            if (_threads[i].IsReady) return true;
        }
        return false;
    }

    private bool AllWait()
    {
        for (int i = 0; i < Count; i++)
        {
            SimThread thread = _threads[i];
            if (thread.IsReady && !thread.IsWaiting) return false;
            if (thread.Buffer.Count != 0) return false;
        }
        return true;
    }

    private void DrainEverybody()
    {
        for (int i = 0; i < Count; i++) _threads[i].Buffer.DrainAll();
    }

    private string Describe()
    {
        var text = new StringBuilder();
        for (int i = 0; i < Count; i++)
        {
            SimThread thread = _threads[i];
            if (!thread.IsAlive) continue;
            text.Append(thread.Name).Append(thread.SleepsOn != 0 ? " sleeps; " : thread.IsWaiting ? " waits; " : "; ");
        }
        return text.ToString();
    }
}
