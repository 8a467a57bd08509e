using Pagoda.Core;

namespace Pagoda.Machine.Apic;

/// <summary>A local APIC's timer: counts virtual nanoseconds through a divider, once or over and over.</summary>
/// <remarks>
/// Intel SDM volume 3, "APIC Timer". Nothing ticks: the count is computed when it is looked at, and the machine asks
/// for the next expiry. A new divisor takes effect with the next initial count. There is no deadline mode.
/// </remarks>
[AllocationFree]
internal struct ApicTimer
{
    /// <summary>The time of an expiry that never comes.</summary>
    public const ulong Never = ulong.MaxValue;

    private const uint DivideMask = 0xB;
    private ulong _start;
    private int _shift;

    /// <summary>The count that was written; 0 stops.</summary>
    public uint InitialCount { get; private set; }

    /// <summary>The divide configuration register.</summary>
    public uint Divide { get; private set; }

    /// <summary>The virtual time, in nanoseconds, of the next expiry; <see cref="Never"/> for none.</summary>
    public ulong Deadline { get; private set; }

    /// <summary>A timer as after reset: stopped.</summary>
    public void Reset() => this = new ApicTimer { Deadline = Never };

    /// <summary>Writes the divide configuration.</summary>
    public void WriteDivide(uint value) => Divide = value & DivideMask;

    /// <summary>Starts counting down; 0 stops.</summary>
    public void Start(uint count, ulong now)
    {
        // Bits 3, 1 and 0 are the power of two less one; 111 divides by one.
        _shift = (int)((((Divide >> 1) & 4) | (Divide & 3)) + 1) & 7;
        InitialCount = count;
        _start = now;
        Deadline = count == 0 ? Never : now + Period;
    }

    /// <summary>What is left of the count.</summary>
    public readonly uint CurrentCount(ulong now)
    {
        if (Deadline == Never || now >= Deadline) return 0;
        return (uint)((Deadline - now + (1UL << _shift) - 1) >> _shift);
    }

    /// <summary>Takes an expiry that is due; true when there was one.</summary>
    public bool TryExpire(bool isPeriodic, ulong now)
    {
        if (now < Deadline) return false;
        Deadline = isPeriodic ? now + Period - (now - _start) % Period : Never;
        return true;
    }

    private readonly ulong Period => (ulong)InitialCount << _shift;
}
