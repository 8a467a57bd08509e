using System;
using System.Runtime.InteropServices;
using Pagoda.Core;
using Pagoda.Machine.Apic;
using Pagoda.Machine.Cpu;

namespace Pagoda.Machine;

/// <summary>One processor of a machine: a vCPU with its memory, its bus and its local APIC.</summary>
/// <remarks>
/// It runs on one thread at a time. What its APIC tells it may come from any thread, with the machine's lock held; so
/// does what it says of itself: its clock and its instructions, published after each turn, and whether it is idle.
/// </remarks>
internal sealed unsafe class Processor : IApicTarget, IInterruptSource, IDisposable
{
    private const nuint CellAlignment = 128;
    private readonly SharedDevices _devices;
    private readonly Cell* _cell;
    private ulong _wakeTime;

    /// <summary>A processor of a guest: the first one runs, the others wait for their start.</summary>
    public Processor(int index, Guest guest, SharedDevices devices, CodeLines code, ExclusiveSection section)
    {
        Index = index;
        _devices = devices;
        _cell = (Cell*)NativeMemory.AlignedAlloc((nuint)sizeof(Cell), CellAlignment);
        *_cell = default;
        Consumer = guest.AddConsumer();
        Memory = new GuestMmu(guest, Consumer, code, section);
        Bus = new MachineBus(devices);
        Vcpu = new SoftVcpu(Memory, Bus) { Interrupts = this, YieldsAtPause = devices.ProcessorCount > 1 };
        Apic = new LocalApic((byte)index, this, devices.Router);
        Bus.Attach(Vcpu, Apic);
        if (index == 0) return;
        Vcpu.Reset();
        IsIdle = true;
    }

    /// <summary>Its number, which is its APIC's identity; 0 is the one that starts.</summary>
    public int Index { get; }

    /// <summary>Its slot in the guest.</summary>
    public GuestConsumer Consumer { get; }

    /// <summary>Its view of the guest's memory.</summary>
    public GuestMmu Memory { get; }

    /// <summary>What it meets outside memory.</summary>
    public MachineBus Bus { get; }

    /// <summary>Its registers and interpreter.</summary>
    public SoftVcpu Vcpu { get; }

    /// <summary>Its local APIC.</summary>
    public LocalApic Apic { get; }

    /// <summary>Its virtual time after its last turn, in nanoseconds.</summary>
    [AllocationFree]
    public ulong Clock => Shared.Load(&_cell->Clock);

    /// <summary>Instructions executed up to its last turn's end.</summary>
    public ulong Instructions => Shared.Load(&_cell->Instructions);

    /// <summary>It executes nothing until somebody wakes it. Changes with the machine's lock held.</summary>
    [AllocationFree]
    public bool IsIdle
    {
        get => Shared.Load(&_cell->IsIdle) != 0;
        private set => Shared.Store(&_cell->IsIdle, value ? 1u : 0u);
    }

    /// <summary>How its last turn ended.</summary>
    public VcpuExit LastExit { get; private set; }

    /// <summary>When its timer wakes it, if it is idle; <see cref="ulong.MaxValue"/> for never.</summary>
    public ulong WakeDeadline => Vcpu.State->Activity == VcpuActivity.Halted && (Vcpu.Rflags & Flags.Interrupt) != 0
        ? Apic.TimerDeadline
        : ulong.MaxValue;

    /// <inheritdoc/>
    [AllocationFree]
    public int TaskPriorityClass
    {
        get => (int)Vcpu.State->Cr8;
        set => Vcpu.State->Cr8 = (ulong)value;
    }

    /// <summary>Runs for a turn, or shorter if its timer is due before. On its thread, without the lock.</summary>
    public VcpuExit Run(long instructions)
    {
        if (_wakeTime > Vcpu.TimeNanoseconds) Vcpu.AdvanceTime(_wakeTime - Vcpu.TimeNanoseconds);
        ulong deadline = Apic.TimerDeadline;
        if (deadline != ulong.MaxValue) instructions = UntilTimer(deadline, instructions);
        LastExit = Vcpu.Run(instructions);
        Shared.Store(&_cell->Clock, Vcpu.TimeNanoseconds);
        Shared.Store(&_cell->Instructions, Vcpu.Instructions);
        return LastExit;
    }

    /// <summary>Says whether it has something to do. On its thread, with the machine's lock held.</summary>
    public void UpdateIdle() => IsIdle = !Vcpu.IsRunnable;

    /// <summary>Moves an idle one to its timer's expiry, which wakes it. With the machine's lock held.</summary>
    public void ExpireTimer()
    {
        ulong deadline = Apic.TimerDeadline;
        Apic.CheckTimer(deadline);
        Wake(deadline);
    }

    /// <inheritdoc/>
    [AllocationFree]
    public void RaiseInterrupt()
    {
        Vcpu.RequestInterrupt();
        if (IsIdle) Wake(_devices.Now);
    }

    /// <inheritdoc/>
    [AllocationFree]
    public void RaiseNmi()
    {
        Vcpu.RequestNmi();
        if (IsIdle) Wake(_devices.Now);
    }

    /// <inheritdoc/>
    [AllocationFree]
    public void RaiseInit()
    {
        Vcpu.RequestInit();
        if (IsIdle) Wake(_devices.Now);
    }

    /// <inheritdoc/>
    [AllocationFree]
    public void RaiseStart(byte page)
    {
        Vcpu.RequestStartup(page);
        if (IsIdle) Wake(_devices.Now);
    }

    /// <inheritdoc/>
    public bool TryAcknowledge(out byte vector)
    {
        _devices.Lock.Acquire();
        bool isThere = Apic.TryAcknowledge(out vector);
        _devices.Lock.Release();
        return isThere;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Vcpu.Dispose();
        Consumer.Dispose();
        NativeMemory.AlignedFree(_cell);
    }

    // One that is woken has slept until then.
    [AllocationFree]
    private void Wake(ulong now)
    {
        _wakeTime = Math.Max(Clock, now);
        Shared.Store(&_cell->Clock, _wakeTime);
        IsIdle = false;
    }

    private long UntilTimer(ulong deadline, long instructions)
    {
        ulong now = Vcpu.TimeNanoseconds;
        if (now < deadline) return (long)Math.Min((ulong)instructions, deadline - now);
        _devices.Lock.Acquire();
        Apic.CheckTimer(now);
        _devices.Lock.Release();
        return instructions;
    }

    /// <summary>What other threads read, on lines of its own.</summary>
    [StructLayout(LayoutKind.Sequential, Size = (int)CellAlignment)]
    private struct Cell
    {
        public ulong Clock;
        public ulong Instructions;
        public uint IsIdle;
    }
}
