using Pagoda.Core;

namespace Pagoda.Machine.Cpu;

/// <summary>Control registers and model-specific registers.</summary>
public sealed unsafe partial class SoftVcpu
{
    private const uint MsrTsc = 0x10;
    private const uint MsrEfer = 0xC000_0080;
    private const uint MsrFsBase = 0xC000_0100;
    private const uint MsrGsBase = 0xC000_0101;
    private const uint MsrKernelGsBase = 0xC000_0102;

    private const ulong Cr0Known = 0xE005_003F;
    private const ulong Cr4Known = 0x0010_07FF;           // up to OSXMMEXCPT, and SMEP
    private const ulong EferKnown = ControlBits.SystemCall | ControlBits.LongModeEnable | ControlBits.LongModeActive
        | ControlBits.NoExecuteEnable;

    // The paging bits of CR4 whose change drops translations: PSE, PAE, PGE, SMEP.
    private const ulong Cr4Paging = 1 << 4 | 1 << 5 | 1 << 7 | 1 << 20;

    private Outcome ReadControl(MicroOp* op)
    {
        VcpuState* s = _state;
        ulong value;
        switch (op->Imm)
        {
            case 0:
                value = s->Cr0;
                break;
            case 2:
                value = s->Cr2;
                break;
            case 3:
                value = s->Cr3;
                break;
            case 4:
                value = s->Cr4;
                break;
            case 8:
                value = s->Cr8;
                break;
            default:
                return RaiseFault(UndefinedOpcode);
        }
        *(ulong*)((byte*)s + op->A) = value;
        return Outcome.Next;
    }

    private Outcome WriteControl(MicroOp* op)
    {
        VcpuState* s = _state;
        ulong value = *(ulong*)((byte*)s + op->A) & OperandMask(op->SizeLog2);
        switch (op->Imm)
        {
            case 0:
                return ChangeCr0(op, value);
            case 2:
                s->Cr2 = value;
                return JumpToNext(op);
            case 3:
                s->Cr3 = value;
                _memory.PagingChanged(s);
                FlushTranslations();
                return JumpToNext(op);
            case 4:
                return ChangeCr4(op, value);
            case 8:
                s->Cr8 = value & 15;
                // What waited for a lower priority may be let through now.
                if (Interrupts is not null) RequestInterrupt();
                LookForEvents();
                return JumpToNext(op);
            default:
                return RaiseFault(UndefinedOpcode);
        }
    }

    /// <summary>MOV to CR0, with the entry to and exit from long mode (SDM volume 3, section 9.8.5).</summary>
    private Outcome ChangeCr0(MicroOp* op, ulong value)
    {
        VcpuState* s = _state;
        value = (value & Cr0Known) | ControlBits.ExtensionType;
        bool pages = (value & ControlBits.Paging) != 0;
        if (pages && (value & ControlBits.ProtectionEnable) == 0) return RaiseFault(GeneralProtection);
        if ((value & ControlBits.NotWriteThrough) != 0 && (value & ControlBits.CacheDisable) == 0)
        {
            return RaiseFault(GeneralProtection);
        }
        bool paged = (s->Cr0 & ControlBits.Paging) != 0;
        if (pages != paged && (s->Efer & ControlBits.LongModeEnable) != 0)
        {
            if (pages && (s->Cr4 & ControlBits.PhysicalAddressExtension) == 0) return RaiseFault(GeneralProtection);
            if (pages && (s->Cs.Rights & SegmentLong) != 0) return RaiseFault(GeneralProtection);
            if (!pages && (s->ModeKey & ModeKeys.SizeMask) == ModeKeys.Size64) return RaiseFault(GeneralProtection);
            s->Efer = pages ? s->Efer | ControlBits.LongModeActive : s->Efer & ~ControlBits.LongModeActive;
        }
        ulong next = RipOf(op->Insn + 1);
        s->Cr0 = value;
        AfterPagingChange();
        s->Rip = next;
        return Outcome.Jump;
    }

    private Outcome ChangeCr4(MicroOp* op, ulong value)
    {
        VcpuState* s = _state;
        if ((value & ~Cr4Known) != 0) return RaiseFault(GeneralProtection);
        bool isPae = (value & ControlBits.PhysicalAddressExtension) != 0;
        if (IsLongMode && !isPae) return RaiseFault(GeneralProtection);
        ulong changed = s->Cr4 ^ value;
        s->Cr4 = value;
        if ((changed & Cr4Paging) != 0) AfterPagingChange();
        return JumpToNext(op);
    }

    private void AfterPagingChange()
    {
        ulong ripBase = _state->RipBase;
        _memory.PagingChanged(_state);
        UpdateMode();
        FlushTranslations();
        _state->RipBase = ripBase;
    }

    private Outcome ReadMsr()
    {
        VcpuState* s = _state;
        ulong value;
        uint index = (uint)s->Gpr[1];
        switch (index)
        {
            case MsrTsc:
                value = TimeNanoseconds + s->TscOffset;
                break;
            case MsrEfer:
                value = s->Efer;
                break;
            case MsrFsBase:
                value = s->SegmentBase[FsSegment];
                break;
            case MsrGsBase:
                value = s->SegmentBase[FsSegment + 1];
                break;
            case MsrKernelGsBase:
                value = s->KernelGsBase;
                break;
            default:
                if (!_bus.ReadMsr(index, out value)) return RaiseFault(GeneralProtection);
                break;
        }
        s->Gpr[0] = (uint)value;
        s->Gpr[2] = value >> 32;
        return Outcome.Next;
    }

    private Outcome WriteMsr(MicroOp* op)
    {
        VcpuState* s = _state;
        uint index = (uint)s->Gpr[1];
        ulong value = (uint)s->Gpr[0] | s->Gpr[2] << 32;
        switch (index)
        {
            case MsrTsc:
                s->TscOffset = value - TimeNanoseconds;
                break;
            case MsrEfer:
                return ChangeEfer(op, value);
            case MsrFsBase:
                s->SegmentBase[FsSegment] = value;
                break;
            case MsrGsBase:
                s->SegmentBase[FsSegment + 1] = value;
                break;
            case MsrKernelGsBase:
                s->KernelGsBase = value;
                break;
            default:
                if (!_bus.WriteMsr(index, value)) return RaiseFault(GeneralProtection);
                break;
        }
        return JumpToNext(op);
    }

    private Outcome ChangeEfer(MicroOp* op, ulong value)
    {
        VcpuState* s = _state;
        if ((value & ~EferKnown) != 0) return RaiseFault(GeneralProtection);
        bool isPaged = (s->Cr0 & ControlBits.Paging) != 0;
        if (isPaged && ((value ^ s->Efer) & ControlBits.LongModeEnable) != 0) return RaiseFault(GeneralProtection);
        s->Efer = (value & ~ControlBits.LongModeActive) | (s->Efer & ControlBits.LongModeActive);
        AfterPagingChange();
        return JumpToNext(op);
    }
}
