using System;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Iced.Intel;
using Pagoda.Core;
using Pagoda.Tlb;

namespace Pagoda.Machine.Cpu;

/// <summary>
/// A virtual CPU in software: x86 in 32-bit protected, compatibility and 64-bit mode, interpreted from pre-decoded
/// micro-ops over a software TLB.
/// </summary>
/// <remarks>
/// It belongs to one thread; only <see cref="RequestStop"/> may be called from another. Exceptions are precise: an
/// instruction that faults has changed nothing. x87 computes in double precision. There is no SSE, no real or
/// virtual-8086 mode, no task switch and no SYSCALL: such an instruction ends Run with
/// <see cref="VcpuExit.Unsupported"/>. Running allocates nothing on the managed heap.
/// </remarks>
public sealed unsafe partial class SoftVcpu : IDisposable
{
    private const uint DefaultCacheBytes = 16 << 20;
    private const long SliceInstructions = 4096;
    private const int InstructionBytesMax = 15;

    private readonly OpCache _cache;
    private readonly Translator _translator;
    private readonly SoftTlb _tlb;
    private readonly VcpuMemory _memory;
    private readonly IMachineBus _bus;
    private readonly VcpuState* _state;
    private VcpuExit _exit;

    /// <summary>A vCPU in 32-bit protected mode with flat segments at CPL 0, paging off, at RIP 0.</summary>
    /// <param name="memory">Its memory; not disposed with it.</param>
    /// <param name="bus">What lies outside memory.</param>
    /// <param name="cacheBytes">Memory for decoded code, 1 MiB to 1 GiB.</param>
    public SoftVcpu(VcpuMemory memory, IMachineBus bus, uint cacheBytes = DefaultCacheBytes)
    {
        ArgumentNullException.ThrowIfNull(memory);
        ArgumentNullException.ThrowIfNull(bus);
        _memory = memory;
        memory.Owner = this;
        _bus = bus;
        _cache = new OpCache(cacheBytes);
        _translator = new Translator();
        _tlb = new SoftTlb();
        _state = (VcpuState*)NativeMemory.AlignedAlloc(VcpuState.SizeBytes, (nuint)Paging.PageBytes);
        *_state = default;
        AllocateFetch();
        Reset();
    }

    /// <summary>The registers, for whoever sets the vCPU up or looks at it while it does not run.</summary>
    /// <remarks>After a change of control registers or EFER call <see cref="ModeChanged"/>.</remarks>
    public VcpuState* State => _state;

    /// <summary>Virtual time: one nanosecond an instruction, and what ports, device memory, PAUSE and HLT
    /// added.</summary>
    public ulong TimeNanoseconds =>
        _state->InstructionsBefore + (ulong)(_state->SliceBudget - _state->Budget) + _state->InsnNow
        + _state->ExtraNanoseconds;

    /// <summary>Instructions executed; a REP instruction counts once.</summary>
    public ulong Instructions => _state->InstructionsBefore + (ulong)(_state->SliceBudget - _state->Budget);

    /// <summary>RFLAGS, with the lazy flags worked out.</summary>
    public ulong Rflags
    {
        get => Flags.Materialize(_state) | _state->SystemFlags | Flags.Fixed;
        set
        {
            Flags.Set(_state, value);
            _state->SystemFlags = value & ~Flags.Arithmetic & uint.MaxValue | Flags.Fixed;
        }
    }

    /// <summary>How often decoded code was thrown away because its memory was full.</summary>
    public ulong CacheResets => _cache.Resets - 1;

    /// <summary>Instructions of a block at most; 1 makes every instruction end its block, which tests use.</summary>
    internal int BlockLimit { get; set; } = Translator.InstructionsMax;

    /// <summary>Puts the registers into the state that the constructor leaves; time and counters go on.</summary>
    public void Reset()
    {
        ulong before = _state->InstructionsBefore;
        *_state = default;
        _state->InstructionsBefore = before;
        _state->SystemFlags = Flags.Fixed;
        Flags.Set(_state, 0);
        _state->Cr0 = ControlBits.ProtectionEnable | ControlBits.ExtensionType;
        _state->JumpCache = _cache.Jumps;
        for (int segment = 0; segment < SegmentCount; segment++)
        {
            ushort rights = segment == CodeSegment ? FlatCodeRights : FlatDataRights;
            SetSegment(segment, 0, rights, uint.MaxValue, 0);
        }
        ResetFpu();
        ModeChanged();
    }

    /// <summary>Executes instructions until as many were executed or something else ends it.</summary>
    /// <param name="maxInstructions">At least 1; at most one basic block more is executed.</param>
    public VcpuExit Run(long maxInstructions)
    {
        if (!_memory.Enter()) return VcpuExit.MemoryError;
        VcpuState* s = _state;
        VcpuExit exit = VcpuExit.BudgetExhausted;
        long remaining = maxInstructions;
        while (remaining > 0)
        {
            if (Shared.Load(&s->StopRequested) != 0)
            {
                Shared.Store(&s->StopRequested, 0);
                exit = VcpuExit.Stopped;
                break;
            }
            long slice = Math.Min(remaining, SliceInstructions);
            s->SliceBudget = slice;
            s->Budget = slice;
            exit = Execute(this, s);
            long executed = slice - s->Budget;
            s->InstructionsBefore += (ulong)executed;
            s->SliceBudget = 0;
            s->Budget = 0;
            remaining -= executed;
            if (exit != VcpuExit.BudgetExhausted) break;
            _memory.Poll();
        }
        s->InsnNow = 0;
        _memory.Exit();
        return exit;
    }

    /// <summary>Makes Run return <see cref="VcpuExit.Stopped"/> soon. From any thread.</summary>
    public void RequestStop() => Shared.Store(&_state->StopRequested, 1);

    /// <summary>Moves virtual time on, as a machine does for a halted vCPU.</summary>
    public void AdvanceTime(ulong nanoseconds) => _state->ExtraNanoseconds += nanoseconds;

    /// <summary>
    /// Recomputes what depends on the mode: call it after setting control registers, EFER or segments from outside.
    /// </summary>
    public void ModeChanged()
    {
        _memory.PagingChanged(_state);
        UpdateMode();
        FlushTranslations();
    }

    /// <summary>The instruction and registers at which Run ended with Unsupported, in one line.</summary>
    public string DescribeUnsupported()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{_unsupported} at RIP 0x{_state->Rip:x}, bytes");
        int count = CodeBytes(out ulong low, out ulong high);
        for (int i = 0; i < count; i++)
        {
            byte value = (byte)((i < 8 ? low : high) >> (i & 7) * 8);
            text.Append(CultureInfo.InvariantCulture, $" {value:x2}");
        }
        return text.Append(", ").Append(DescribeRegisters()).ToString();
    }

    /// <summary>RIP, flags, general and control registers, in one line.</summary>
    public string DescribeRegisters()
    {
        string[] names =
        [
            "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
            "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
        ];
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"rip={_state->Rip:x}, rflags={Rflags:x}");
        for (int i = 0; i < names.Length; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $", {names[i]}={_state->Gpr[i]:x}");
        }
        text.Append(CultureInfo.InvariantCulture, $", cr0={_state->Cr0:x}, cr2={_state->Cr2:x}, cr3={_state->Cr3:x}");
        text.Append(CultureInfo.InvariantCulture, $", cr4={_state->Cr4:x}, efer={_state->Efer:x}");
        text.Append(CultureInfo.InvariantCulture, $", cs={_state->Cs.Selector:x}, ss={_state->Ss.Selector:x}");
        return text.ToString();
    }

    /// <summary>Frees the native memory.</summary>
    public void Dispose()
    {
        _cache.Dispose();
        _tlb.Dispose();
        NativeMemory.AlignedFree(_state);
        FreeFetch();
    }

    private string _unsupported = "";

    private void ReportUnsupported(MicroOp* op)
    {
        _state->Rip = RipOf(op->Insn);
        _unsupportedCode = (Code)op->Imm;
        Unsupported("unsupported instruction");
    }

    private Code _unsupportedCode;

    private void Unsupported(string what)
    {
        _unsupported = what;
        _exit = VcpuExit.Unsupported;
    }
}
