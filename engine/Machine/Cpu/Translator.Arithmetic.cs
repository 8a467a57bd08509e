using Iced.Intel;

namespace Pagoda.Machine.Cpu;

/// <summary>Two-operand arithmetic, increments, shifts by constants and multiplications that the hot switch
/// knows.</summary>
internal sealed unsafe partial class Translator
{
    private bool TryArithmetic(in Instruction i)
    {
        switch (i.Mnemonic)
        {
            case Mnemonic.Add:
                return Binary(i, OpCode.AddRR8, OpCode.AddRI8, KnownFlags.Addition);
            case Mnemonic.Or:
                return Binary(i, OpCode.OrRR8, OpCode.OrRI8, KnownFlags.Subtraction);
            case Mnemonic.And:
                return Binary(i, OpCode.AndRR8, OpCode.AndRI8, KnownFlags.Subtraction);
            case Mnemonic.Sub:
                return Binary(i, OpCode.SubRR8, OpCode.SubRI8, KnownFlags.Subtraction);
            case Mnemonic.Xor:
                return Binary(i, OpCode.XorRR8, OpCode.XorRI8, KnownFlags.Subtraction);
            case Mnemonic.Cmp:
                return Binary(i, OpCode.CmpRR8, OpCode.CmpRI8, KnownFlags.Subtraction);
            case Mnemonic.Test:
                return Binary(i, OpCode.TestRR8, OpCode.TestRI8, KnownFlags.Subtraction);
            case Mnemonic.Inc or Mnemonic.Dec:
                return Increment(i, i.Mnemonic == Mnemonic.Inc);
            case Mnemonic.Neg or Mnemonic.Not:
                return Unary(i, i.Mnemonic == Mnemonic.Neg);
            case Mnemonic.Shl or Mnemonic.Sal:
                return Shift(i, OpCode.Shl32, OpCode.ShlQuiet32, IntegerOp.Shl);
            case Mnemonic.Shr:
                return Shift(i, OpCode.Shr32, OpCode.ShrQuiet32, IntegerOp.Shr);
            case Mnemonic.Sar:
                return Shift(i, OpCode.Sar32, OpCode.SarQuiet32, IntegerOp.Sar);
            case Mnemonic.Rol or Mnemonic.Ror:
                return Rotate(i, i.Mnemonic == Mnemonic.Rol);
            case Mnemonic.Imul:
                return TryImul(i);
            default:
                return false;
        }
    }

    private bool Binary(in Instruction i, OpCode registers, OpCode immediate, KnownFlags flags)
    {
        bool writes = i.Mnemonic is not (Mnemonic.Cmp or Mnemonic.Test);
        int size = SizeOf(i);
        bool isImmediate = i.Op1Kind is not (OpKind.Register or OpKind.Memory);
        byte a = RegisterFile.Temp0;
        byte b = RegisterFile.Temp0;
        bool isMemory = i.Op0Kind == OpKind.Memory;
        if (isMemory)
        {
            if (writes) EmitRmwLoad(i, size);
            else EmitLoadTemp(i, size);
        }
        else
        {
            a = RegisterFile.Of(i.Op0Register);
        }
        if (i.Op1Kind == OpKind.Memory) EmitLoadTemp(i, size);
        else if (!isImmediate) b = RegisterFile.Of(i.Op1Register);
        if (!(_quiet && !isMemory && TryQuiet(i, a, b, size, isImmediate)))
        {
            if (isImmediate) Emit(immediate + size, a, 0, SignedImmediate(i, size));
            else Emit(registers + size, a, b);
            bool isLogic = i.Mnemonic is Mnemonic.And or Mnemonic.Or or Mnemonic.Xor or Mnemonic.Test;
            Know(flags, isLogic ? Flags.Logic : (flags == KnownFlags.Addition ? Flags.Add8 : Flags.Sub8) + (uint)size);
        }
        if (isMemory && writes) EmitRmwStore(size);
        return true;
    }

    /// <summary>An immediate as the flags want it: sign-extended from the operand's size.</summary>
    private static int SignedImmediate(in Instruction i, int size) => size switch
    {
        0 => (sbyte)i.GetImmediate(1),
        1 => (short)i.GetImmediate(1),
        _ => (int)i.GetImmediate(1),
    };

    /// <summary>The form that leaves the flags alone, for 32 and 64 bits.</summary>
    private bool TryQuiet(in Instruction i, byte a, byte b, int size, bool isImmediate)
    {
        if (size < 2) return false;
        bool is64 = size == 3;
        int wide = size - 2;
        Mnemonic m = i.Mnemonic;
        int imm = isImmediate ? (int)i.GetImmediate(1) : 0;
        if (m == Mnemonic.Add && isImmediate)
        {
            EmitLea(a, is64, new Address { Base = a, Index = RegisterFile.Zero, Disp = imm });
        }
        else if (m == Mnemonic.Add)
        {
            EmitLea(a, is64, new Address { Base = a, Index = b, HasIndex = true });
        }
        else if (m == Mnemonic.Sub && isImmediate && imm != int.MinValue)
        {
            EmitLea(a, is64, new Address { Base = a, Index = RegisterFile.Zero, Disp = -imm });
        }
        else if (m == Mnemonic.Xor && !isImmediate && a == b)
        {
            Emit(OpCode.MovRI64, a, 0)->Wide = 0;
        }
        else if (m == Mnemonic.And && isImmediate)
        {
            Emit(OpCode.AndImmQuiet32 + wide, a, 0, imm);
        }
        else if (!isImmediate && m is Mnemonic.And or Mnemonic.Or or Mnemonic.Xor or Mnemonic.Sub && !isImmediate)
        {
            OpCode code = m switch
            {
                Mnemonic.And => OpCode.AndQuiet32,
                Mnemonic.Or => OpCode.OrQuiet32,
                Mnemonic.Xor => OpCode.XorQuiet32,
                _ => OpCode.SubQuiet32,
            };
            Emit(code + wide, a, b);
        }
        else
        {
            return false;
        }
        return true;
    }

    private bool Increment(in Instruction i, bool isInc)
    {
        int size = SizeOf(i);
        bool isMemory = i.Op0Kind == OpKind.Memory;
        byte a = isMemory ? RegisterFile.Temp0 : RegisterFile.Of(i.Op0Register);
        if (isMemory) EmitRmwLoad(i, size);
        if (size == 1) EmitInteger(isInc ? IntegerOp.Inc : IntegerOp.Dec, a, 0, size);
        else if (_quiet && !isMemory && size >= 2)
        {
            EmitLea(a, size == 3, new Address { Base = a, Index = RegisterFile.Zero, Disp = isInc ? 1 : -1 });
        }
        else
        {
            Emit((isInc ? OpCode.Inc8 : OpCode.Dec8) + (size == 0 ? 0 : size - 1), a, 0);
            Know(KnownFlags.Result, Flags.Result);
        }
        if (isMemory) EmitRmwStore(size);
        return true;
    }

    private bool Unary(in Instruction i, bool isNeg)
    {
        int size = SizeOf(i);
        bool isMemory = i.Op0Kind == OpKind.Memory;
        byte a = isMemory ? RegisterFile.Temp0 : RegisterFile.Of(i.Op0Register);
        if (isMemory) EmitRmwLoad(i, size);
        if (size < 2)
        {
            if (isNeg) EmitInteger(IntegerOp.Neg, a, 0, size);
            else EmitInteger(IntegerOp.Not, a, 0, size);
        }
        else
        {
            Emit((isNeg ? OpCode.Neg32 : OpCode.Not32) + (size - 2), a, 0);
            if (isNeg) Know(KnownFlags.Subtraction, Flags.Sub8 + (uint)size);
        }
        if (isMemory) EmitRmwStore(size);
        return true;
    }

    private bool Shift(in Instruction i, OpCode normal, OpCode quiet, IntegerOp general)
    {
        int size = SizeOf(i);
        bool isMemory = i.Op0Kind == OpKind.Memory;
        bool isConstant = i.Op1Kind != OpKind.Register;
        int count = isConstant ? i.Immediate8 & (size == 3 ? 63 : 31) : -1;
        if (count == 0 && !isMemory)
        {
            // No flags, but a 32-bit register still loses its upper half.
            Emit(OpCode.MovRR8 + size, RegisterFile.Of(i.Op0Register), RegisterFile.Of(i.Op0Register));
            return true;
        }
        byte a = isMemory ? RegisterFile.Temp0 : RegisterFile.Of(i.Op0Register);
        if (isMemory) EmitRmwLoad(i, size);
        if (isConstant && size >= 2 && count > 0)
        {
            int stride = size - 2;
            if (_quiet && !isMemory) EmitQuietShift(quiet + stride, a, count);
            else
            {
                Emit(normal + stride, a, 0, count);
                Know(KnownFlags.Result, Flags.Result);
            }
        }
        else if (!isConstant && size >= 2)
        {
            Emit(normal + (OpCode.ShlCl32 - OpCode.Shl32) + (size - 2), a, 0);
            Know(KnownFlags.Unknown, 0);
        }
        else
        {
            EmitShiftOrRotate(i, general, a, size);
        }
        if (isMemory) EmitRmwStore(size);
        return true;
    }

    /// <summary>A shift that sets no flags takes its source elsewhere, so a copy before it folds into it.</summary>
    private void EmitQuietShift(OpCode code, byte a, int count)
    {
        OpCode copy = code is OpCode.ShlQuiet64 or OpCode.ShrQuiet64 or OpCode.SarQuiet64 or OpCode.RolQuiet64
            ? OpCode.MovRR64 : OpCode.MovRR32;
        MicroOp* last = _last;
        if (last != null && last->Code == copy && last->A == a && last->Insn == _index - 1)
        {
            last->Code = code;
            last->Insn = (byte)_index;
            last->Imm = count;
            return;
        }
        Emit(code, a, a, count);
    }

    private bool Rotate(in Instruction i, bool isLeft)
    {
        int size = SizeOf(i);
        bool isMemory = i.Op0Kind == OpKind.Memory;
        bool isConstant = i.Op1Kind != OpKind.Register;
        byte a = isMemory ? RegisterFile.Temp0 : RegisterFile.Of(i.Op0Register);
        if (isMemory) EmitRmwLoad(i, size);
        int bits = 8 << size;
        int count = isConstant ? i.Immediate8 & (bits - 1) : 0;
        if (isConstant && size >= 2 && count != 0 && !(_quiet && !isMemory))
        {
            Emit((isLeft ? OpCode.Rol32 : OpCode.Ror32) + (size - 2), a, 0, count);
            Know(KnownFlags.Unknown, 0);
        }
        else if (isConstant && size >= 2 && _quiet && !isMemory)
        {
            int left = isLeft ? count : (bits - count) & (bits - 1);
            EmitQuietShift(OpCode.RolQuiet32 + (size - 2), a, left);
        }
        else
        {
            EmitShiftOrRotate(i, isLeft ? IntegerOp.Rol : IntegerOp.Ror, a, size);
        }
        if (isMemory) EmitRmwStore(size);
        return true;
    }

    private void EmitShiftOrRotate(in Instruction i, IntegerOp operation, byte a, int size)
    {
        byte count = RegisterFile.Rcx;
        if (i.Op1Kind != OpKind.Register)
        {
            count = RegisterFile.Temp2;
            Emit(OpCode.MovRI64, count, 0)->Wide = i.Immediate8;
        }
        EmitInteger(operation, a, count, size);
    }

    private bool TryImul(in Instruction i)
    {
        int size = SizeOf(i);
        if (i.OpCount == 1 || size < 2) return false;
        byte b = RegisterFile.Temp0;
        if (i.Op1Kind == OpKind.Memory) EmitLoadTemp(i, size);
        else b = RegisterFile.Of(i.Op1Register);
        byte a = RegisterFile.Of(i.Op0Register);
        if (i.OpCount == 3) Emit(size == 2 ? OpCode.ImulImm32 : OpCode.ImulImm64, a, b, (int)i.GetImmediate(2));
        else Emit(size == 2 ? OpCode.Imul32 : OpCode.Imul64, a, b);
        Know(KnownFlags.Result, Flags.Result);
        return true;
    }

    private void EmitInteger(IntegerOp operation, byte a, byte b, int size)
    {
        MicroOp* op = Group(OpCode.GroupInteger, (byte)operation, size);
        op->A = a;
        op->B = b;
        if (operation != IntegerOp.Not) Know(KnownFlags.Unknown, 0);
    }

    private void Know(KnownFlags flags, uint kind)
    {
        _flags = flags;
        _flagKind = kind;
    }
}
