namespace Pagoda.Machine.Cpu;

/// <summary>
/// What a vCPU meets outside memory: ports, device memory, model-specific registers and CPUID. The machine implements
/// it; every member is called from the vCPU's thread, with
/// <see cref="SoftVcpu.TimeNanoseconds"/> up to date and the vCPU outside its consumer slot for none of them.
/// </summary>
/// <remarks>A read of nothing gives ones, a write to nothing is dropped: a bus has no failure to report
/// there.</remarks>
public interface IMachineBus
{
    /// <summary>Reads <paramref name="size"/> (1, 2 or 4) bytes from a port; bits above them are ignored.</summary>
    uint In(int port, int size);

    /// <summary>Writes the low <paramref name="size"/> (1, 2 or 4) bytes of a value to a port.</summary>
    void Out(int port, int size, uint value);

    /// <summary>Reads 1, 2, 4 or 8 bytes at a guest-physical address that no memory backs.</summary>
    ulong ReadMmio(ulong gpa, int size);

    /// <summary>Writes 1, 2, 4 or 8 bytes at a guest-physical address that no writable memory backs.</summary>
    void WriteMmio(ulong gpa, int size, ulong value);

    /// <summary>Reads a model-specific register that the vCPU does not hold itself.</summary>
    /// <returns>False: there is no such register, and the guest gets #GP(0).</returns>
    bool ReadMsr(uint index, out ulong value);

    /// <summary>Writes a model-specific register that the vCPU does not hold itself.</summary>
    /// <returns>False: no such register or a bad value, and the guest gets #GP(0).</returns>
    bool WriteMsr(uint index, ulong value);

    /// <summary>Answers CPUID for a leaf (EAX) and subleaf (ECX).</summary>
    void Cpuid(uint leaf, uint subleaf, out CpuidResult result);
}

/// <summary>The four registers that CPUID returns.</summary>
public struct CpuidResult
{
    /// <summary>EAX.</summary>
    public uint Eax;

    /// <summary>EBX.</summary>
    public uint Ebx;

    /// <summary>ECX.</summary>
    public uint Ecx;

    /// <summary>EDX.</summary>
    public uint Edx;
}
