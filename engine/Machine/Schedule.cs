using System;
using System.Runtime.InteropServices;
using Pagoda.Core;

namespace Pagoda.Machine;

/// <summary>Which of a machine's processors runs next, and which have to wait for others.</summary>
/// <remarks>
/// The processors' clocks are kept together: on one thread the processor with the lowest clock has the next turn; with
/// a thread each, one that is too far ahead of the slowest waits for it. A processor that spins with PAUSE, whose clock
/// leaps, leaves the host to the others by that, and no guest sees another processor time out that merely had no host
/// processor. An idle processor holds nobody back.
/// </remarks>
internal sealed unsafe class Schedule : IDisposable
{
    /// <summary>How far ahead of the slowest a processor with its own thread may be.</summary>
    public const ulong LeadMax = 2_000_000;

    private const ulong LeadResumed = LeadMax / 2;
    private const ulong Never = ulong.MaxValue;
    private const nuint LineBytes = 128;
    private readonly Processor[] _processors;
    private readonly ulong* _turns;         // changes when somebody who waits for a clock is to look again
    private readonly ulong* _awaited;       // the lowest clock that somebody waits for

    /// <summary>A schedule of all processors of a machine.</summary>
    public Schedule(Processor[] processors)
    {
        _processors = processors;
        _turns = (ulong*)NativeMemory.AlignedAlloc(2 * LineBytes, LineBytes);
        _awaited = (ulong*)((byte*)_turns + LineBytes);
        *_turns = 0;
        *_awaited = Never;
    }

    /// <summary>The lowest clock of a processor that is not idle; <see cref="ulong.MaxValue"/> when all are.</summary>
    public ulong LowestClock
    {
        get
        {
            ulong lowest = Never;
            foreach (Processor processor in _processors)
            {
                if (!processor.IsIdle) lowest = Math.Min(lowest, processor.Clock);
            }
            return lowest;
        }
    }

    /// <summary>
    /// The processor whose turn it is: that with the lowest clock, the first of equals. An idle one counts with its
    /// timer's expiry, which then has woken it. With the machine's lock held, or on the only thread.
    /// </summary>
    /// <returns>Null: all are idle and nothing will wake one.</returns>
    public Processor? Next()
    {
        while (true)
        {
            Processor? next = null;
            ulong lowest = Never;
            foreach (Processor processor in _processors)
            {
                ulong time = processor.IsIdle ? processor.WakeDeadline : processor.Clock;
                if (time >= lowest) continue;
                lowest = time;
                next = processor;
            }
            if (next is null || !next.IsIdle) return next;
            next.ExpireTimer();
            if (next.Vcpu.IsRunnable) return next;
            next.UpdateIdle();
        }
    }

    /// <summary>
    /// Waits, on a processor's own thread and outside its slot, while it is too far ahead of the slowest, or until
    /// <paramref name="isStopped"/> is set.
    /// </summary>
    public void WaitForOthers(Processor processor, ulong* isStopped)
    {
        ulong clock = processor.Clock;
        if (clock <= LeadMax || LowestClock >= clock - LeadMax) return;
        ulong resumed = clock - LeadResumed;
        while (Shared.Load(isStopped) == 0)
        {
            ulong seen = Shared.Load(_turns);
            Await(resumed);
            if (LowestClock >= resumed) return;
            Wait.OnWord(_turns, seen);
        }
    }

    /// <summary>Lets those look again who wait for a clock that is reached, or for one that became idle.</summary>
    public void Publish(Processor processor)
    {
        Shared.Fence();
        if (!processor.IsIdle && processor.Clock < Shared.Load(_awaited)) return;
        WakeWaiters();
    }

    /// <summary>Lets everybody look again who waits for a clock.</summary>
    public void WakeWaiters()
    {
        if (Shared.Exchange(_awaited, Never) == Never) return;
        Shared.Increment(_turns);
        Wait.WakeAll(_turns);
    }

    /// <inheritdoc/>
    public void Dispose() => NativeMemory.AlignedFree(_turns);

    private void Await(ulong clock)
    {
        for (; ; )
        {
            ulong awaited = Shared.Load(_awaited);
            if (clock >= awaited || Shared.CompareExchange(_awaited, clock, awaited) == awaited) return;
        }
    }
}
