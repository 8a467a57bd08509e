namespace Pagoda.Machine.Cpu;

/// <summary>Where a vCPU's external interrupts come from, such as its local APIC.</summary>
/// <remarks>
/// Whoever makes an interrupt pending calls <see cref="SoftVcpu.RequestInterrupt"/> behind it. The vCPU asks when it
/// accepts interrupts, on its own thread and outside its consumer slot, and asks again after every vector that it got.
/// </remarks>
public interface IInterruptSource
{
    /// <summary>Hands out the vector to deliver now, if there is one; it counts as in service from then on.</summary>
    bool TryAcknowledge(out byte vector);
}
