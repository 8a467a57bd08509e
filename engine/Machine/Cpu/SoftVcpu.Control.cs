using System.Runtime.CompilerServices;

namespace Pagoda.Machine.Cpu;

/// <summary>Far jumps, calls and returns, interrupts, segment loads, HLT and the interrupt flag.</summary>
public sealed unsafe partial class SoftVcpu
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    private Outcome ExecuteControl(MicroOp* op)
    {
        VcpuState* s = _state;
        byte* r = (byte*)s;
        s->InsnNow = op->Insn;
        switch ((ControlOp)op->Sub)
        {
            case ControlOp.ReadSegment:
                *(ulong*)(r + op->A) = (&s->Es)[op->B].Selector;
                return Outcome.Next;
            case ControlOp.LoadSegment:
                return MoveToSegment(op);
            case ControlOp.LoadPointer:
                return LoadPointer(op);
            case ControlOp.JumpFar:
                return JumpFar(op);
            case ControlOp.CallFar:
                return CallFar(op);
            case ControlOp.ReturnFar:
                return ReturnFar(op);
            case ControlOp.InterruptReturn:
                return InterruptReturn(op);
            case ControlOp.Interrupt:
                return SoftwareInterrupt(op, (byte)op->Imm, isChecked: true);
            case ControlOp.Breakpoint:
                return SoftwareInterrupt(op, BreakpointException, isChecked: true);
            case ControlOp.DebugTrap:
                return SoftwareInterrupt(op, DebugException, isChecked: false);
            case ControlOp.InterruptOverflow:
                if (!Flags.IsOverflow(s)) return JumpToNext(op);
                return SoftwareInterrupt(op, OverflowException, isChecked: true);
            case ControlOp.CheckBounds:
                long index = SignExtended(op->A, op->SizeLog2);
                bool isInside = index >= SignExtended(RegisterFile.Temp0, op->SizeLog2)
                    && index <= SignExtended(RegisterFile.Temp2, op->SizeLog2);
                return isInside ? Outcome.Next : RaiseFault(BoundRange);
            case ControlOp.Undefined:
                return RaiseFault(UndefinedOpcode);
            case ControlOp.Halt:
                if (s->Cpl != 0) return RaiseFault(GeneralProtection);
                s->Rip = RipOf(op->Insn + 1);
                s->Activity = VcpuActivity.Halted;
                _exit = VcpuExit.Halted;
                return Outcome.Exit;
            case ControlOp.ClearInterrupts:
                if (s->Cpl > IoPrivilege) return RaiseFault(GeneralProtection);
                s->SystemFlags &= ~Flags.Interrupt;
                return Outcome.Next;
            case ControlOp.SetInterrupts:
                if (s->Cpl > IoPrivilege) return RaiseFault(GeneralProtection);
                if ((s->SystemFlags & Flags.Interrupt) == 0) OpenShadow(op);
                s->SystemFlags |= Flags.Interrupt;
                LookForEvents();
                return JumpToNext(op);
            default:
                s->Rip = *(ulong*)(r + op->A) & OperandMask(op->SizeLog2);
                return Outcome.Jump;
        }
    }

    private uint IoPrivilege => (uint)(_state->SystemFlags >> 12) & 3;

    private static ulong OperandMask(int sizeLog2) => sizeLog2 == 3 ? ulong.MaxValue : (1UL << (8 << sizeLog2)) - 1;

    private Outcome JumpToNext(MicroOp* op)
    {
        _state->Rip = RipOf(op->Insn + 1);
        return Outcome.Jump;
    }

    /// <summary>Writes a general register as instructions do: 32 bits clear the upper half.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void StoreRegister(byte register, int sizeLog2, ulong value)
    {
        byte* cell = (byte*)_state + register;
        switch (sizeLog2)
        {
            case 0:
                *cell = (byte)value;
                break;
            case 1:
                *(ushort*)cell = (ushort)value;
                break;
            case 2:
                *(ulong*)cell = (uint)value;
                break;
            default:
                *(ulong*)cell = value;
                break;
        }
    }

    /// <summary>LDS, LES, LFS, LGS and LSS, the far pointer being in two temporaries.</summary>
    private Outcome LoadPointer(MicroOp* op)
    {
        VcpuState* s = _state;
        if (!LoadSegment(op->B, (ushort)s->Temp2)) return Outcome.Fault;
        StoreRegister(op->A, op->SizeLog2, s->Temp0);
        s->Rip = RipOf(op->Insn + 1);
        UpdateMode();
        return Outcome.Jump;
    }

    private Outcome MoveToSegment(MicroOp* op)
    {
        VcpuState* s = _state;
        ulong selector = *(ulong*)((byte*)s + op->B);
        ulong next = RipOf(op->Insn + 1);
        if (op->A == CodeSegment) return RaiseFault(UndefinedOpcode);
        if (op->Imm != 0)
        {
            // POP: the register is loaded before the stack pointer moves.
            if (!PeekStack(0, op->SizeLog2, out selector)) return Outcome.Fault;
            if (!LoadSegment(op->A, (ushort)selector)) return Outcome.Fault;
            MoveStack(1 << op->SizeLog2);
        }
        else if (!LoadSegment(op->A, (ushort)selector))
        {
            return Outcome.Fault;
        }
        s->Rip = next;
        if (op->A == StackSegment) OpenShadow(op);
        UpdateMode();
        return Outcome.Jump;
    }

    private Outcome JumpFar(MicroOp* op)
    {
        VcpuState* s = _state;
        var selector = (ushort)s->Temp2;
        if (!CheckCodeSegment(selector, isReturn: false, out ulong descriptor, out uint cpl)) return Outcome.Fault;
        EnterCodeSegment(selector, descriptor, cpl);
        s->Rip = s->Temp0 & OperandMask(op->SizeLog2);
        return Outcome.Jump;
    }

    private Outcome CallFar(MicroOp* op)
    {
        VcpuState* s = _state;
        var selector = (ushort)s->Temp2;
        if (!CheckCodeSegment(selector, isReturn: false, out ulong descriptor, out uint cpl)) return Outcome.Fault;
        int bytes = 1 << op->SizeLog2;
        ulong* frame = stackalloc ulong[2];
        byte* at = (byte*)frame;
        frame[0] = RipOf(op->Insn + 1);
        *(ulong*)(at + bytes) = s->Cs.Selector;
        if (!PushBytes(op, at, 2 * bytes)) return Outcome.Fault;
        EnterCodeSegment(selector, descriptor, cpl);
        s->Rip = s->Temp0 & OperandMask(op->SizeLog2);
        return Outcome.Jump;
    }

    private Outcome ReturnFar(MicroOp* op)
    {
        VcpuState* s = _state;
        int size = op->SizeLog2;
        int bytes = 1 << size;
        if (!PeekStack(0, size, out ulong rip) || !PeekStack(bytes, size, out ulong code)) return Outcome.Fault;
        var selector = (ushort)code;
        if (!CheckCodeSegment(selector, isReturn: true, out ulong descriptor, out uint cpl)) return Outcome.Fault;
        int released = 2 * bytes + (ushort)op->Imm;
        if (cpl != s->Cpl)
        {
            if (!PeekStack(released, size, out ulong stack)) return Outcome.Fault;
            if (!PeekStack(released + bytes, size, out ulong stackSelector)) return Outcome.Fault;
            return ReturnOutward(selector, descriptor, cpl, rip, stack + (ushort)op->Imm, (ushort)stackSelector);
        }
        MoveStack(released);
        EnterCodeSegment(selector, descriptor, cpl);
        s->Rip = rip;
        return Outcome.Jump;
    }

    /// <summary>The part of a far return or IRET that changes the privilege level: the stack comes back too.</summary>
    private Outcome ReturnOutward(ushort selector, ulong descriptor, uint cpl, ulong rip, ulong stack,
        ushort stackSelector)
    {
        VcpuState* s = _state;
        uint oldCpl = s->Cpl;
        SegmentState oldStack = s->Ss;
        ulong oldBase = s->SegmentBase[StackSegment];
        s->Cpl = cpl;
        bool isNullAllowed = (stackSelector & SelectorMask) == 0 && cpl != 3 && IsLongMode
            && (RightsOf(descriptor) & SegmentLong) != 0;
        bool isLoaded;
        if (isNullAllowed)
        {
            SetHidden(StackSegment, stackSelector, 0, 0, 0);
            isLoaded = true;
        }
        else
        {
            isLoaded = LoadSegment(StackSegment, stackSelector);
        }
        s->Cpl = oldCpl;
        if (!isLoaded)
        {
            s->Ss = oldStack;
            s->SegmentBase[StackSegment] = oldBase;
            return Outcome.Fault;
        }
        EnterCodeSegment(selector, descriptor, cpl);
        s->Gpr[4] = stack & ((s->ModeKey & ModeKeys.SizeMask) == ModeKeys.Size64 ? ulong.MaxValue : uint.MaxValue);
        for (int segment = ExtraSegment; segment < SegmentCount; segment++)
        {
            if (segment is CodeSegment or StackSegment) continue;
            SegmentState* hidden = &s->Es + segment;
            uint dpl = (uint)(hidden->Rights >> 5) & 3;
            bool isConforming = (hidden->Rights & (SegmentCode | SegmentConforming))
                == (SegmentCode | SegmentConforming);
            if (dpl < cpl && !isConforming && hidden->Rights != 0) SetHidden(segment, 0, 0, 0, 0);
        }
        UpdateMode();
        s->Rip = rip;
        return Outcome.Jump;
    }

    /// <summary>IRET (SDM volume 2); to virtual-8086 mode and nested tasks are not known.</summary>
    private Outcome InterruptReturn(MicroOp* op)
    {
        VcpuState* s = _state;
        int size = op->SizeLog2;
        int bytes = 1 << size;
        // Even when the rest faults.
        s->NmiBlocked = 0;
        if (!IsReal && (s->SystemFlags & Flags.NestedTask) != 0)
        {
            if (IsLongMode) return RaiseFault(GeneralProtection);
            Unsupported("return to a nested task");
            RaiseExit(VcpuExit.Unsupported);
            return Outcome.Fault;
        }
        if (!PeekStack(0, size, out ulong rip) || !PeekStack(bytes, size, out ulong code)
            || !PeekStack(2 * bytes, size, out ulong flags))
        {
            return Outcome.Fault;
        }
        if (size == 2 && !IsLongMode && !IsReal && s->Cpl == 0 && (flags & Flags.Virtual8086) != 0)
        {
            Unsupported("virtual-8086 mode");
            RaiseExit(VcpuExit.Unsupported);
            return Outcome.Fault;
        }
        var selector = (ushort)code;
        if (!CheckCodeSegment(selector, isReturn: true, out ulong descriptor, out uint cpl)) return Outcome.Fault;
        uint oldCpl = s->Cpl;
        bool is64 = (s->ModeKey & ModeKeys.SizeMask) == ModeKeys.Size64;
        if (is64 || cpl != oldCpl)
        {
            if (!PeekStack(3 * bytes, size, out ulong stack)) return Outcome.Fault;
            if (!PeekStack(4 * bytes, size, out ulong stackSelector)) return Outcome.Fault;
            Outcome outcome = ReturnOutward(selector, descriptor, cpl, rip, stack, (ushort)stackSelector);
            if (outcome == Outcome.Fault) return outcome;
        }
        else
        {
            MoveStack(3 * bytes);
            EnterCodeSegment(selector, descriptor, cpl);
            s->Rip = rip;
        }
        LoadFlags(flags, size, oldCpl);
        LookForEvents();
        return Outcome.Jump;
    }

    /// <summary>Takes RFLAGS from an image, as far as the privilege level may change them.</summary>
    private void LoadFlags(ulong image, int sizeLog2, uint cpl)
    {
        VcpuState* s = _state;
        ulong changeable = Flags.Trap | Flags.Direction | Flags.NestedTask | Flags.AlignmentCheck
            | Flags.Identification | Flags.Resume;
        if (cpl <= IoPrivilege) changeable |= Flags.Interrupt;
        if (cpl == 0) changeable |= Flags.IoPrivilege;
        changeable &= OperandMask(sizeLog2);
        Flags.Set(s, image);
        s->SystemFlags = (s->SystemFlags & ~changeable) | (image & changeable) | Flags.Fixed;
    }

    /// <summary>INT and its kin; INT1 alone is not checked against the gate's privilege level.</summary>
    private Outcome SoftwareInterrupt(MicroOp* op, uint vector, bool isChecked)
    {
        ulong here = RipOf(op->Insn);
        _state->Rip = RipOf(op->Insn + 1);
        if (DeliverVector(vector, hasError: false, 0, isSoftware: isChecked)) return Outcome.Jump;
        _state->Rip = here;
        return Outcome.Fault;
    }
}
