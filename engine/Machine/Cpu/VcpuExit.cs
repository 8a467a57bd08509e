namespace Pagoda.Machine.Cpu;

/// <summary>Why a vCPU came back from <see cref="SoftVcpu.Run"/>.</summary>
public enum VcpuExit : byte
{
    /// <summary>The instructions asked for were executed (at most one basic block more).</summary>
    BudgetExhausted = 0,

    /// <summary>HLT, now or before: an interrupt that it accepts or an NMI goes on; RIP is behind the HLT.</summary>
    Halted,

    /// <summary>A fault while delivering a double fault: the processor shut down.</summary>
    TripleFault,

    /// <summary>An instruction, mode or memory type that this vCPU does not know; RIP is at it and
    /// <see cref="SoftVcpu.DescribeUnsupported"/> says more.</summary>
    Unsupported,

    /// <summary>Guest memory could not be supplied: out of memory, a poisoned page, a failed pager, or the guest was
    /// destroyed. RIP is at the instruction; nothing of it was done.</summary>
    MemoryError,

    /// <summary><see cref="SoftVcpu.RequestStop"/> was called.</summary>
    Stopped,

    /// <summary>It was reset by INIT and waits for a start-up message.</summary>
    WaitingForStartup,

    /// <summary>PAUSE, where <see cref="SoftVcpu.YieldsAtPause"/> is set; RIP is behind it.</summary>
    Paused,
}
