using Pagoda.Core;

namespace Pagoda.Machine.Cpu;

/// <summary>What reaches a vCPU from outside its instructions: stop, INIT, start-up, NMI, interrupts.</summary>
/// <remarks>
/// A request sets a bit, from any thread; the vCPU looks at the bits between slices of instructions, which is at a
/// block boundary. The order is that of SDM volume 3, section 6.9 ("Priority Among Concurrent Events"), as far as there
/// are such events here. An instruction that opens an interrupt shadow keeps the count of instructions behind it: while
/// that is the count, nothing is delivered and one instruction is executed alone.
/// </remarks>
public sealed unsafe partial class SoftVcpu
{
    private const ulong StopEvent = 1 << 0;
    private const ulong InitEvent = 1 << 1;
    private const ulong StartupEvent = 1 << 2;
    private const ulong NmiEvent = 1 << 3;
    private const ulong InterruptEvent = 1 << 4;
    private const ulong Sleeping = 1 << 5;                  // somebody waits for the word to change
    private const uint NmiVector = 2;

    private bool _isShadowed;

    /// <summary>Where interrupts come from; null for none. Set before it runs.</summary>
    public IInterruptSource? Interrupts { get; set; }

    /// <summary>
    /// Whether <see cref="Run"/> would execute instructions or end for another reason than waiting. From the vCPU's
    /// thread, or while it does not run.
    /// </summary>
    [AllocationFree]
    public bool IsRunnable
    {
        get
        {
            ulong events = Shared.Load(&_state->Events);
            return _state->Activity == VcpuActivity.Running || IsDue(events);
        }
    }

    /// <summary>Makes Run return <see cref="VcpuExit.Stopped"/> soon. From any thread.</summary>
    public void RequestStop() => Request(StopEvent);

    /// <summary>
    /// An INIT: it resets and waits for a start-up message, one that comes behind it. From any thread.
    /// </summary>
    [AllocationFree]
    public void RequestInit()
    {
        // A vCPU that halts looks at no message that it would ignore.
        Shared.And(&_state->Events, ~StartupEvent);
        Request(InitEvent);
    }

    /// <summary>
    /// A start-up message (SIPI): starts it at <paramref name="vector"/> times 4 KiB in real mode if it waits for one
    /// or an INIT is still to be taken, and is ignored else. From any thread.
    /// </summary>
    [AllocationFree]
    public void RequestStartup(byte vector)
    {
        Shared.Store(&_state->StartupVector, vector);
        Request(StartupEvent);
    }

    /// <summary>A non-maskable interrupt; one more is kept while one is handled. From any thread.</summary>
    [AllocationFree]
    public void RequestNmi() => Request(NmiEvent);

    /// <summary>The source of interrupts may have one: ask it when interrupts are accepted. From any thread.</summary>
    [AllocationFree]
    public void RequestInterrupt() => Request(InterruptEvent);

    /// <summary>
    /// Sleeps until something makes it runnable, or for a few milliseconds. From the vCPU's thread, outside Run.
    /// </summary>
    /// <returns>Whether it is runnable now.</returns>
    [AllocationFree]
    public bool WaitUntilRunnable()
    {
        ulong* events = &_state->Events;
        if (IsRunnable) return true;
        ulong seen = Shared.Or(events, Sleeping) | Sleeping;
        if (!IsRunnable) Wait.OnWord(events, seen);
        Shared.And(events, ~Sleeping);
        return IsRunnable;
    }

    [AllocationFree]
    private void Request(ulong bit)
    {
        ulong before = Shared.Or(&_state->Events, bit);
        if ((before & Sleeping) != 0) Wait.WakeAll(&_state->Events);
    }

    /// <summary>Whether one of the events can be taken in the present state, shadows aside.</summary>
    [AllocationFree]
    private bool IsDue(ulong events)
    {
        VcpuState* s = _state;
        if ((events & (StopEvent | InitEvent)) != 0) return true;
        if (s->Activity == VcpuActivity.WaitingForStartup) return (events & StartupEvent) != 0;
        if ((events & NmiEvent) != 0 && s->NmiBlocked == 0) return true;
        return (events & InterruptEvent) != 0 && (s->SystemFlags & Flags.Interrupt) != 0;
    }

    /// <summary>Takes what has come in, before a slice. False: Run returns with the exit that is set.</summary>
    private bool TakeEvents()
    {
        VcpuState* s = _state;
        _isShadowed = false;
        ulong events = Shared.Load(&s->Events);
        if ((events & ~Sleeping) != 0 && !TakeEvents(events)) return false;
        switch (s->Activity)
        {
            case VcpuActivity.Running:
                return true;
            case VcpuActivity.Halted:
                _exit = VcpuExit.Halted;
                return false;
            default:
                _exit = VcpuExit.WaitingForStartup;
                return false;
        }
    }

    private bool TakeEvents(ulong events)
    {
        VcpuState* s = _state;
        if ((events & StopEvent) != 0)
        {
            Shared.And(&s->Events, ~StopEvent);
            _exit = VcpuExit.Stopped;
            return false;
        }
        if ((events & InitEvent) != 0)
        {
            Shared.And(&s->Events, ~InitEvent);
            Reset();
        }
        if ((events & StartupEvent) != 0)
        {
            Shared.And(&s->Events, ~StartupEvent);
            if (s->Activity == VcpuActivity.WaitingForStartup) Start((byte)Shared.Load(&s->StartupVector));
        }
        if (s->Activity == VcpuActivity.WaitingForStartup || !IsDue(events)) return true;
        if (s->ShadowAt == Instructions)
        {
            _isShadowed = true;
            return true;
        }
        return TakeInterrupt(events);
    }

    private bool TakeInterrupt(ulong events)
    {
        VcpuState* s = _state;
        if ((events & NmiEvent) != 0 && s->NmiBlocked == 0)
        {
            Shared.And(&s->Events, ~NmiEvent);
            s->NmiBlocked = 1;
            s->Activity = VcpuActivity.Running;
            return DeliverEvent(NmiVector);
        }
        // Cleared before the question: who makes one pending behind it sets the bit again.
        Shared.And(&s->Events, ~InterruptEvent);
        if (Interrupts is null) return true;
        _memory.Exit();
        bool isThere = Interrupts.TryAcknowledge(out byte vector);
        if (!_memory.Enter())
        {
            _exit = VcpuExit.MemoryError;
            return false;
        }
        if (!isThere) return true;
        Shared.Or(&s->Events, InterruptEvent);
        s->Activity = VcpuActivity.Running;
        return DeliverEvent(vector);
    }

    /// <summary>Nothing is delivered before the next instruction is done; <paramref name="op"/> is the one in
    /// front.</summary>
    private void OpenShadow(MicroOp* op) => _state->ShadowAt = Instructions + op->Insn + 1;

    /// <summary>Ends the slice with the present block if an event can be taken.</summary>
    private void LookForEvents()
    {
        if (IsDue(Shared.Load(&_state->Events))) CutSlice();
    }

    /// <summary>Ends the slice with the present block; what was executed counts on.</summary>
    private void CutSlice()
    {
        VcpuState* s = _state;
        if (s->Budget <= 1) return;
        s->SliceBudget -= s->Budget - 1;
        s->Budget = 1;
    }
}
