namespace Pagoda.Machine.Cpu;

/// <summary>Whether a vCPU executes instructions, and what it waits for if not.</summary>
public enum VcpuActivity : uint
{
    /// <summary>It executes.</summary>
    Running = 0,

    /// <summary>HLT: an interrupt that it accepts, an NMI or an INIT goes on.</summary>
    Halted,

    /// <summary>Reset by INIT: only a start-up message goes on.</summary>
    WaitingForStartup,
}
