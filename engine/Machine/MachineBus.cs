using Pagoda.Machine.Cpu;
using Pagoda.Machine.Devices;

namespace Pagoda.Machine;

/// <summary>What the machine's vCPU meets outside memory, counted.</summary>
/// <remarks>
/// Addresses without memory read ones; writes there and to read-only memory are dropped. There is no model-specific
/// register beyond those that the vCPU holds. One host thread.
/// </remarks>
public sealed class MachineBus(PortSpace ports) : IMachineBus
{
    private const int BitsPerByte = 8;
    private SoftVcpu _vcpu = null!;

    /// <summary>Port accesses.</summary>
    public ulong IoExits { get; private set; }

    /// <summary>Accesses to addresses without memory, and writes to read-only memory.</summary>
    public ulong MmioExits { get; private set; }

    /// <summary>Names the vCPU whose virtual time the devices follow; once, before it runs.</summary>
    public void Attach(SoftVcpu vcpu) => _vcpu = vcpu;

    /// <inheritdoc/>
    public uint In(int port, int size)
    {
        IoExits++;
        return ports.Read(port, size, _vcpu.TimeNanoseconds);
    }

    /// <inheritdoc/>
    public void Out(int port, int size, uint value)
    {
        IoExits++;
        ports.Write(port, size, value, _vcpu.TimeNanoseconds);
        if (ports.Keyboard.IsResetAsked) _vcpu.RequestStop();
    }

    /// <inheritdoc/>
    public ulong ReadMmio(ulong gpa, int size)
    {
        MmioExits++;
        return size == sizeof(ulong) ? ulong.MaxValue : (1UL << (size * BitsPerByte)) - 1;
    }

    /// <inheritdoc/>
    public void WriteMmio(ulong gpa, int size, ulong value) => MmioExits++;

    /// <inheritdoc/>
    public bool ReadMsr(uint index, out ulong value)
    {
        value = 0;
        return false;
    }

    /// <inheritdoc/>
    public bool WriteMsr(uint index, ulong value) => false;

    /// <inheritdoc/>
    public void Cpuid(uint leaf, uint subleaf, out CpuidResult result) => CpuidModel.Answer(leaf, out result);
}
