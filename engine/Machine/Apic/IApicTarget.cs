using Pagoda.Core;

namespace Pagoda.Machine.Apic;

/// <summary>What a local APIC tells its processor. Called with the machine's lock held, from any thread.</summary>
/// <remarks>Each call wakes a processor that halts. None may wait for the processor.</remarks>
[AllocationFree]
public interface IApicTarget
{
    /// <summary>The priority, 0 to 15, at or below which the processor takes no interrupt: its CR8.</summary>
    /// <remarks>Another processor's thread only reads it, to find the lowest, and may see an old one.</remarks>
    int TaskPriorityClass { get; set; }

    /// <summary>An interrupt is there to be acknowledged.</summary>
    void RaiseInterrupt();

    /// <summary>A non-maskable interrupt.</summary>
    void RaiseNmi();

    /// <summary>INIT: the processor is to forget everything and wait for its start.</summary>
    void RaiseInit();

    /// <summary>A start-up message: a processor that waits for it begins at page <paramref name="page"/>.</summary>
    void RaiseStart(byte page);
}
