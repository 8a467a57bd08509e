using System;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Iced.Intel;
using Pagoda.Core;
using Pagoda.Tlb;

namespace Pagoda.Machine.Cpu;

/// <summary>
/// A virtual CPU in software: x86 in real, protected, compatibility and 64-bit mode, interpreted from pre-decoded
/// micro-ops over a software TLB.
/// </summary>
/// <remarks>
/// It belongs to one thread; only the requests may come from another. Exceptions are precise: an instruction that
/// faults has changed nothing. x87 computes in double precision. There is no SSE, no virtual-8086 mode, no task switch
/// and no SYSCALL: such an instruction ends Run with <see cref="VcpuExit.Unsupported"/>. Running allocates nothing on
/// the managed heap.
/// </remarks>
public sealed unsafe partial class SoftVcpu : IDisposable
{
    private const uint DefaultCacheBytes = 16 << 20;
    // A microsecond or two: how long who takes a translation back, or wants the exclusive section, waits at most.
    private const long SliceInstructions = 1024;
    private const int InstructionBytesMax = 15;
    private const int GeneralRegisters = 16;

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
        SetFlat();
    }

    /// <summary>The registers, for whoever sets the vCPU up or looks at it while it does not run.</summary>
    /// <remarks>After a change of control registers or EFER call <see cref="ModeChanged"/>.</remarks>
    [AllocationFree]
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

    /// <summary>Executes instructions until as many were executed or something else ends it.</summary>
    /// <param name="maxInstructions">At least 1; at most one basic block more is executed.</param>
    public VcpuExit Run(long maxInstructions)
    {
        if (!_memory.Enter()) return VcpuExit.MemoryError;
        VcpuExit exit = VcpuExit.BudgetExhausted;
        long remaining = maxInstructions;
        while (remaining > 0)
        {
            if (!TakeEvents())
            {
                exit = _exit;
                break;
            }
            exit = RunSlice(Math.Min(remaining, SliceInstructions), out long executed);
            remaining -= executed;
            if (exit != VcpuExit.BudgetExhausted) break;
            if (!_memory.Poll())
            {
                exit = VcpuExit.MemoryError;
                break;
            }
        }
        _state->InsnNow = 0;
        _memory.Exit();
        return exit;
    }

    /// <summary>Moves virtual time on, as a machine does for a vCPU that waited while others ran.</summary>
    public void AdvanceTime(ulong nanoseconds) => _state->ExtraNanoseconds += nanoseconds;

    private VcpuExit RunSlice(long instructions, out long executed)
    {
        VcpuState* s = _state;
        if (_isShadowed)
        {
            instructions = 1;
            s->ModeKey |= ModeKeys.Single;
        }
        s->SliceBudget = instructions;
        s->Budget = instructions;
        VcpuExit exit = Execute(this, s);
        s->ModeKey &= ~ModeKeys.Single;
        executed = s->SliceBudget - s->Budget;
        s->InstructionsBefore += (ulong)executed;
        s->SliceBudget = 0;
        s->Budget = 0;
        if (_isAlone)
        {
            _isAlone = false;
            _memory.EndExclusive();
        }
        return exit;
    }

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
