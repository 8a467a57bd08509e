using System.Runtime.InteropServices;
using Pagoda.Core;

namespace Pagoda.Machine.Cpu;

/// <summary>A segment register's hidden part; its base lies in the register file so that micro-ops can add
/// it.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SegmentState
{
    /// <summary>The visible selector.</summary>
    public ushort Selector;

    /// <summary>
    /// Access rights as in a descriptor's bits 40–55: type 0–3, S 4, DPL 5–6, P 7, AVL 12, L 13, D/B 14, G 15.
    /// </summary>
    public ushort Rights;

    /// <summary>The last valid byte offset, granularity applied.</summary>
    public uint Limit;
}

/// <summary>Base and limit of the GDT or IDT.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct TableRegister
{
    /// <summary>Linear address of the table.</summary>
    public ulong Base;

    /// <summary>The last valid byte offset.</summary>
    public uint Limit;
}

/// <summary>
/// Everything a vCPU is, in native memory. The first 256 bytes are the register file that micro-ops address with a byte
/// offset: sixteen general registers, then the internal ones.
/// </summary>
/// <remarks>
/// <code>
///   0..127   RAX RCX RDX RBX RSP RBP RSI RDI R8..R15   (AH, CH, DH, BH are the bytes at 1, 9, 17, 25)
///   128      always zero        136  base of the instruction pointer: RIP = this + offset in the linear page
///   144..167 three temporaries  168..215  segment bases ES CS SS DS FS GS      216..255  more temporaries
/// </code>
/// Arithmetic flags are lazy: <see cref="FlagKind"/> says how to get them from the two words; see Flags.cs.
/// </remarks>
[AllocationFree]
[StructLayout(LayoutKind.Explicit, Size = SizeBytes)]
public unsafe struct VcpuState
{
    /// <summary>Bytes of the state; the software TLB follows it in the same allocation.</summary>
    public const int SizeBytes = 1024;

    /// <summary>General registers in encoding order; 32-bit modes keep the upper halves zero or stale.</summary>
    [FieldOffset(0)] public fixed ulong Gpr[16];

    [FieldOffset(128)] internal ulong Zero;
    [FieldOffset(136)] internal ulong RipBase;
    [FieldOffset(144)] internal ulong Temp0;
    [FieldOffset(152)] internal ulong Temp1;
    [FieldOffset(160)] internal ulong Temp2;

    /// <summary>Segment bases: ES, CS, SS, DS, FS, GS.</summary>
    [FieldOffset(168)] public fixed ulong SegmentBase[6];

    // Second line group: what every block and every access reads.
    [FieldOffset(256)] internal ulong FlagA;
    [FieldOffset(264)] internal ulong FlagB;
    [FieldOffset(272)] internal uint FlagKind;
    [FieldOffset(276)] internal uint ModeKey;
    [FieldOffset(280)] internal ulong AddressMask;
    [FieldOffset(288)] internal byte* TlbRead;
    [FieldOffset(296)] internal byte* TlbWrite;
    [FieldOffset(304)] internal ulong InstructionMask;
    [FieldOffset(312)] internal long Budget;
    [FieldOffset(320)] internal ulong Scratch;
    [FieldOffset(328)] internal ulong Scratch2;
    [FieldOffset(336)] internal byte* RmwPointer;
    [FieldOffset(344)] internal ulong RmwAddress;
    [FieldOffset(352)] internal Block* CurrentBlock;
    [FieldOffset(360)] internal uint PendingKind;
    [FieldOffset(364)] internal uint PendingVector;
    [FieldOffset(368)] internal uint PendingErrorCode;
    [FieldOffset(376)] internal ulong PendingAddress;
    [FieldOffset(872)] internal byte* JumpCache;
    [FieldOffset(880)] internal uint InsnNow;

    /// <summary>The count of instructions at which an interrupt shadow ends with the next one.</summary>
    [FieldOffset(888)] internal ulong ShadowAt;

    /// <summary>Whether it executes.</summary>
    [FieldOffset(896)] public VcpuActivity Activity;

    /// <summary>An NMI is being handled: no other until IRET.</summary>
    [FieldOffset(900)] internal uint NmiBlocked;

    // Written by other threads, so on a line of their own.
    /// <summary>What was requested from outside, one bit each.</summary>
    [FieldOffset(960)] internal ulong Events;

    /// <summary>The vector of the last start-up message.</summary>
    [FieldOffset(968)] internal uint StartupVector;

    // Third: architectural state that instructions touch now and then.
    /// <summary>The instruction pointer; exact whenever the vCPU is not inside Run.</summary>
    [FieldOffset(384)] public ulong Rip;

    /// <summary>RFLAGS without the six arithmetic flags, which are lazy; bit 1 is always set.</summary>
    [FieldOffset(392)] internal ulong SystemFlags;

    /// <summary>CR0.</summary>
    [FieldOffset(400)] public ulong Cr0;

    /// <summary>CR2: the address of the last page fault.</summary>
    [FieldOffset(408)] public ulong Cr2;

    /// <summary>CR3.</summary>
    [FieldOffset(416)] public ulong Cr3;

    /// <summary>CR4.</summary>
    [FieldOffset(424)] public ulong Cr4;

    /// <summary>CR8: the task priority; kept, not used.</summary>
    [FieldOffset(432)] public ulong Cr8;

    /// <summary>IA32_EFER.</summary>
    [FieldOffset(440)] public ulong Efer;

    /// <summary>KernelGSBase, swapped by SWAPGS.</summary>
    [FieldOffset(448)] public ulong KernelGsBase;

    /// <summary>DR0–DR3, DR6, DR7: kept, not used.</summary>
    [FieldOffset(456)] internal fixed ulong DebugRegisters[8];

    /// <summary>The GDT register.</summary>
    [FieldOffset(520)] public TableRegister Gdtr;

    /// <summary>The IDT register.</summary>
    [FieldOffset(536)] public TableRegister Idtr;

    /// <summary>The task register.</summary>
    [FieldOffset(552)] public SegmentState TaskRegister;

    /// <summary>The local descriptor table register.</summary>
    [FieldOffset(560)] public SegmentState Ldtr;

    /// <summary>Base of the task state segment.</summary>
    [FieldOffset(568)] public ulong TaskBase;

    /// <summary>Base of the local descriptor table.</summary>
    [FieldOffset(576)] public ulong LdtBase;

    [FieldOffset(584)] internal SegmentState Es;
    [FieldOffset(592)] internal SegmentState Cs;
    [FieldOffset(600)] internal SegmentState Ss;
    [FieldOffset(608)] internal SegmentState Ds;
    [FieldOffset(616)] internal SegmentState Fs;
    [FieldOffset(624)] internal SegmentState Gs;

    /// <summary>Current privilege level, 0–3.</summary>
    [FieldOffset(632)] public uint Cpl;

    // Counters and time.
    /// <summary>Instructions executed before the current slice; a REP instruction counts once.</summary>
    [FieldOffset(640)] internal ulong InstructionsBefore;

    [FieldOffset(648)] internal long SliceBudget;

    /// <summary>Virtual nanoseconds beyond one an instruction: ports, MMIO, PAUSE, HLT.</summary>
    [FieldOffset(656)] internal ulong ExtraNanoseconds;

    /// <summary>What the guest added to its time-stamp counter by WRMSR.</summary>
    [FieldOffset(664)] internal ulong TscOffset;

    /// <summary>Port instructions executed.</summary>
    [FieldOffset(672)] public ulong PortAccesses;

    /// <summary>Accesses to device memory executed.</summary>
    [FieldOffset(680)] public ulong MmioAccesses;

    /// <summary>Times the software TLB was filled.</summary>
    [FieldOffset(688)] public ulong TlbFills;

    /// <summary>Basic blocks decoded.</summary>
    [FieldOffset(696)] public ulong BlocksDecoded;

    /// <summary>Exceptions delivered to the guest.</summary>
    [FieldOffset(704)] public ulong ExceptionsDelivered;

    // x87, in double precision.
    [FieldOffset(712)] internal fixed ulong FpuStack[8];
    [FieldOffset(776)] internal ushort FpuControl;
    [FieldOffset(778)] internal ushort FpuStatus;
    [FieldOffset(780)] internal byte FpuValid;
    [FieldOffset(781)] internal byte FpuTop;
    [FieldOffset(782)] internal ushort FpuOpcode;
    [FieldOffset(784)] internal ulong FpuInstruction;
    [FieldOffset(792)] internal ulong FpuData;

    [FieldOffset(800)] internal uint Mxcsr;
    [FieldOffset(808)] internal fixed byte CrossBuffer[64];
}
