using Iced.Intel;

namespace Pagoda.Machine.Cpu;

/// <summary>Near branches, calls, returns; pushes and pops of the flat stack.</summary>
internal sealed unsafe partial class Translator
{
    private bool HasWideStack => Is64 || (IsFlat && (_mode & ModeKeys.SizeMask) == ModeKeys.Size32);

    private bool TryBranch(in Instruction i)
    {
        switch (i.FlowControl)
        {
            case FlowControl.ConditionalBranch:
                return TryConditional(i);
            case FlowControl.UnconditionalBranch:
                if (!IsNear(i)) return false;
                Emit(OpCode.Jump)->Target = (int)i.NearBranchTarget;
                _ended = true;
                return true;
            case FlowControl.IndirectBranch:
                if (i.Op0Kind is OpKind.FarBranch16 or OpKind.FarBranch32 || IsFarPointer(i)) return false;
                if (!TryBranchOperand(i, out byte a)) return false;
                Emit(OpCode.JumpIndirect, a, 0);
                _ended = true;
                return true;
            case FlowControl.Call:
                if (!IsNear(i) || !HasWideStack) return false;
                MicroOp* call = Emit(Is64 ? OpCode.Call64 : OpCode.Call32);
                call->Target = (int)i.NearBranchTarget;
                call->Disp = ReturnOffset(i);
                _ended = true;
                return true;
            case FlowControl.IndirectCall:
                if (IsFarPointer(i) || !HasWideStack || !TryBranchOperand(i, out byte target)) return false;
                MicroOp* indirect = Emit(Is64 ? OpCode.CallIndirect64 : OpCode.CallIndirect32);
                indirect->A = target;
                indirect->Disp = ReturnOffset(i);
                _ended = true;
                return true;
            case FlowControl.Return:
                if (i.Mnemonic != Mnemonic.Ret || !HasWideStack) return false;
                bool matches = Is64 ? i.Code is Code.Retnq or Code.Retnq_imm16
                    : i.Code is Code.Retnd or Code.Retnd_imm16;
                if (!matches) return false;
                Emit(Is64 ? OpCode.Ret64 : OpCode.Ret32)->Imm = i.OpCount == 1 ? i.Immediate16 : 0;
                _ended = true;
                return true;
            default:
                return false;
        }
    }

    /// <summary>A relative branch whose destination has the width of the mode, or more: it is cut there.</summary>
    private bool IsNear(in Instruction i) => i.Op0Kind switch
    {
        OpKind.NearBranch64 => true,
        OpKind.NearBranch32 => (_mode & ModeKeys.SizeMask) != ModeKeys.Size64,
        OpKind.NearBranch16 => (_mode & ModeKeys.SizeMask) == ModeKeys.Size16,
        _ => false,
    };

    private static bool IsFarPointer(in Instruction i) => i.Op0Kind == OpKind.Memory
        && i.MemorySize is MemorySize.SegPtr16 or MemorySize.SegPtr32 or MemorySize.SegPtr64;

    private int ReturnOffset(in Instruction i) => _starts[_index] + i.Length;

    /// <summary>The destination of an indirect branch, zero-extended, in a register of the file.</summary>
    private bool TryBranchOperand(in Instruction i, out byte a)
    {
        int size = SizeOf(i);
        a = RegisterFile.Temp0;
        if (size != (Is64 ? 3 : 2)) return false;
        if (i.Op0Kind == OpKind.Memory) EmitLoadTemp(i, size);
        else if (Is64) a = RegisterFile.Of(i.Op0Register);
        else Emit(OpCode.MovRR32, RegisterFile.Temp0, RegisterFile.Of(i.Op0Register));
        return true;
    }

    private bool TryConditional(in Instruction i)
    {
        if (!IsNear(i)) return false;
        int target = (int)i.NearBranchTarget;
        if (!i.Code.IsJccShortOrNear()) return TryLoop(i, target);
        int condition = Conditions.Encoding(i.ConditionCode);
        if (TryFuse(condition, target)) return true;
        int order = Conditions.Order(condition);
        MicroOp* op;
        if (_flags == KnownFlags.Subtraction && order >= 0) op = Emit(OpCode.JumpSubE + order);
        else if (_flags == KnownFlags.Subtraction && _flagKind == Flags.Sub64 && condition is 8 or 9)
        {
            op = Emit(condition == 8 ? OpCode.JumpSubS : OpCode.JumpSubNs);
        }
        else if (_flags == KnownFlags.Addition && condition is 2 or 3)
        {
            // The carry of a sum is found as the borrow of a difference is.
            op = Emit(OpCode.JumpSubE + order);
        }
        else if (_flags is KnownFlags.Addition or KnownFlags.Result && condition is 4 or 5 or 8 or 9)
        {
            op = Emit(condition < 8 ? OpCode.JumpResultE + (condition - 4) : OpCode.JumpResultS + (condition - 8));
        }
        else
        {
            op = Emit(OpCode.JumpAny);
            op->Disp = condition;
        }
        op->Target = target;
        return true;
    }

    /// <summary>Makes one micro-op of the comparison before and the branch.</summary>
    private bool TryFuse(int condition, int target)
    {
        MicroOp* last = _last;
        if (last == null || last->Insn != _index - 1) return false;
        int order = Conditions.Order(condition);
        byte a = last->A;
        OpCode code = last->Code;
        if (code is OpCode.CmpRR32 or OpCode.CmpRR64 && order >= 0)
        {
            byte b = last->B;
            OpCode fused = (code == OpCode.CmpRR32 ? OpCode.CmpRR32JumpE : OpCode.CmpRR64JumpE) + order;
            Refill(last, fused, a, b, target);
            return true;
        }
        if (code is OpCode.CmpRI32 or OpCode.CmpRI64 && order >= 0)
        {
            OpCode fused = (code == OpCode.CmpRI32 ? OpCode.CmpRI32JumpE : OpCode.CmpRI64JumpE) + order;
            Refill(last, fused, a, last->Imm, target);
            return true;
        }
        if (code is OpCode.TestRR32 or OpCode.TestRR64 && a == last->B)
        {
            // TEST of a register with itself compares it with zero; the sign is then "less".
            int zeroOrder = condition switch
            {
                8 => Conditions.Order(12),
                9 => Conditions.Order(13),
                _ => order,
            };
            if (zeroOrder < 0) return false;
            OpCode fused = code == OpCode.TestRR32 ? OpCode.CmpRI32JumpE : OpCode.CmpRI64JumpE;
            Refill(last, fused + zeroOrder, a, 0, target);
            return true;
        }
        if (code is OpCode.TestRI8 or OpCode.TestRI32 && condition is 4 or 5)
        {
            OpCode fused = (code == OpCode.TestRI8 ? OpCode.TestRI8JumpE : OpCode.TestRI32JumpE) + (condition - 4);
            Refill(last, fused, a, last->Imm, target);
            return true;
        }
        return false;
    }

    private void Refill(MicroOp* op, OpCode code, byte a, int disp, int target)
    {
        *op = default;
        op->Code = code;
        op->Insn = (byte)_index;
        op->A = a;
        op->Disp = disp;
        op->Target = target;
    }

    /// <summary>LOOP, LOOPE, LOOPNE, JCXZ: the counter's width is the address size.</summary>
    private bool TryLoop(in Instruction i, int target)
    {
        byte width;
        switch (i.Mnemonic)
        {
            case Mnemonic.Jcxz:
                width = 0;
                break;
            case Mnemonic.Jecxz:
                width = 1;
                break;
            case Mnemonic.Jrcxz:
                width = 2;
                break;
            default:
                return TryCountedLoop(i, target);
        }
        MicroOp* op = Emit(OpCode.JumpCxz);
        op->A = width;
        op->Target = target;
        return true;
    }

    private bool TryCountedLoop(in Instruction i, int target)
    {
        int width = CounterSize(i.Code);
        if (width < 0) return false;
        MicroOp* count = Group(OpCode.GroupInteger, (byte)IntegerOp.Loop, width);
        count->Imm = i.Mnemonic switch
        {
            Mnemonic.Loope => 1,
            Mnemonic.Loopne => 2,
            _ => 0,
        };
        // Loop leaves 1 in Temp0 to go on.
        MicroOp* op = Emit(OpCode.JumpTemp);
        op->A = RegisterFile.Temp0;
        op->Target = target;
        return true;
    }

    private static int CounterSize(Code code) => code switch
    {
        Code.Loop_rel8_16_CX or Code.Loop_rel8_32_CX or Code.Loope_rel8_16_CX or Code.Loope_rel8_32_CX
            or Code.Loopne_rel8_16_CX or Code.Loopne_rel8_32_CX => 1,
        Code.Loop_rel8_16_ECX or Code.Loop_rel8_32_ECX or Code.Loop_rel8_64_ECX or Code.Loope_rel8_16_ECX
            or Code.Loope_rel8_32_ECX or Code.Loope_rel8_64_ECX or Code.Loopne_rel8_16_ECX
            or Code.Loopne_rel8_32_ECX or Code.Loopne_rel8_64_ECX => 2,
        Code.Loop_rel8_16_RCX or Code.Loop_rel8_64_RCX or Code.Loope_rel8_16_RCX or Code.Loope_rel8_64_RCX
            or Code.Loopne_rel8_16_RCX or Code.Loopne_rel8_64_RCX => 3,
        _ => -1,
    };
}
