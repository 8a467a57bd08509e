using Pagoda.Machine.Apic;
using Pagoda.Machine.Cpu;

namespace Pagoda.Machine;

/// <summary>What one vCPU meets outside memory, counted: its local APIC, and the devices that all share.</summary>
/// <remarks>
/// Addresses without memory read ones; writes there and to read-only memory are dropped. The only model-specific
/// register beyond those that the vCPU holds is that of the APIC's base. Called from the vCPU's thread; each access of
/// a device holds the machine's lock.
/// </remarks>
public sealed class MachineBus(SharedDevices devices) : IMachineBus
{
    private const int BitsPerByte = 8;
    private const uint ApicBaseMsr = 0x1B;
    private const ulong ApicBaseBootstrap = 1 << 8;
    private const ulong ApicBaseEnabled = 1 << 11;
    private SoftVcpu _vcpu = null!;
    private LocalApic _apic = null!;
    private bool _isApicEnabled = true;

    /// <summary>Port accesses.</summary>
    public ulong IoExits { get; private set; }

    /// <summary>Accesses to addresses without memory, the APIC's among them, and writes to read-only memory.</summary>
    public ulong MmioExits { get; private set; }

    /// <summary>Names the vCPU and its APIC; once, before it runs.</summary>
    public void Attach(SoftVcpu vcpu, LocalApic apic)
    {
        _vcpu = vcpu;
        _apic = apic;
    }

    /// <inheritdoc/>
    public uint In(int port, int size)
    {
        IoExits++;
        devices.Lock.Acquire();
        uint value = devices.Ports.Read(port, size, DeviceTime());
        devices.Lock.Release();
        return value;
    }

    /// <inheritdoc/>
    public void Out(int port, int size, uint value)
    {
        IoExits++;
        devices.Lock.Acquire();
        devices.Ports.Write(port, size, value, DeviceTime());
        bool isResetAsked = devices.Ports.Keyboard.IsResetAsked;
        devices.Lock.Release();
        if (isResetAsked) _vcpu.RequestStop();
    }

    /// <inheritdoc/>
    public ulong ReadMmio(ulong gpa, int size)
    {
        MmioExits++;
        if (!IsApic(gpa)) return size == sizeof(ulong) ? ulong.MaxValue : (1UL << (size * BitsPerByte)) - 1;
        devices.Lock.Acquire();
        ulong value = _apic.Read((int)(gpa - LocalApic.Gpa), size, DeviceTime());
        devices.Lock.Release();
        return value;
    }

    /// <inheritdoc/>
    public void WriteMmio(ulong gpa, int size, ulong value)
    {
        MmioExits++;
        if (!IsApic(gpa)) return;
        devices.Lock.Acquire();
        _apic.Write((int)(gpa - LocalApic.Gpa), size, (uint)value, DeviceTime());
        devices.Lock.Release();
    }

    /// <inheritdoc/>
    public bool ReadMsr(uint index, out ulong value)
    {
        value = index == ApicBaseMsr ? ApicBase : 0;
        return index == ApicBaseMsr;
    }

    /// <inheritdoc/>
    /// <remarks>The APIC can be switched off and on. It cannot be moved, and has no x2APIC mode.</remarks>
    public bool WriteMsr(uint index, ulong value)
    {
        if (index != ApicBaseMsr) return false;
        const ulong Changeable = ApicBaseEnabled | ApicBaseBootstrap;
        if ((value & ~Changeable) != (ApicBase & ~Changeable)) return false;
        _isApicEnabled = (value & ApicBaseEnabled) != 0;
        return true;
    }

    /// <inheritdoc/>
    public void Cpuid(uint leaf, uint subleaf, out CpuidResult result) =>
        CpuidModel.Answer(leaf, subleaf, _apic.Id, devices.ProcessorCount, out result);

    private ulong ApicBase => LocalApic.Gpa | (_isApicEnabled ? ApicBaseEnabled : 0)
        | (_apic.Id == 0 ? ApicBaseBootstrap : 0);

    private bool IsApic(ulong gpa) => _isApicEnabled && gpa - LocalApic.Gpa < LocalApic.Bytes;

    // A vCPU that lags behind what a device showed another one catches up: no one sees the devices' time go back.
    private ulong DeviceTime()
    {
        ulong own = _vcpu.TimeNanoseconds;
        ulong now = devices.TimeAt(own);
        if (now > own) _vcpu.AdvanceTime(now - own);
        return now;
    }
}
