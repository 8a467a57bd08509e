using Iced.Intel;

namespace Pagoda.Machine.Cpu;

/// <summary>Moves, conversions, addresses, exchanges, and conditional moves and sets.</summary>
internal sealed unsafe partial class Translator
{
    private bool TryTranslate(in Instruction i)
    {
        if (i.HasLockPrefix) return TryLocked(i);
        return TryMove(i) || TryArithmetic(i) || TryBranch(i) || TryStack(i) || TryString(i) || TryInteger(i)
            || TrySystem(i) || TryX87(i);
    }

    private bool TryMove(in Instruction i)
    {
        switch (i.Mnemonic)
        {
            case Mnemonic.Mov:
                return TryMov(i);
            case Mnemonic.Movzx:
                Extend(i, isSigned: false);
                return true;
            case Mnemonic.Movsx or Mnemonic.Movsxd:
                Extend(i, isSigned: true);
                return true;
            case Mnemonic.Lea:
                Lea(i);
                return true;
            case Mnemonic.Nop or Mnemonic.Endbr32 or Mnemonic.Endbr64 or Mnemonic.Prefetcht0 or Mnemonic.Prefetcht1
                or Mnemonic.Prefetcht2 or Mnemonic.Prefetchnta or Mnemonic.Prefetchw or Mnemonic.Reservednop:
                Emit(OpCode.Nop);
                return true;
            case Mnemonic.Movnti:
                return TryMov(i);
            case Mnemonic.Xchg:
                return TryExchange(i);
        }
        if (i.ConditionCode == ConditionCode.None) return false;
        if (i.Mnemonic is >= Mnemonic.Cmova and <= Mnemonic.Cmovs) return TryCmov(i);
        if (i.Mnemonic is >= Mnemonic.Seta and <= Mnemonic.Sets) return TrySet(i);
        return false;
    }

    private bool TryMov(in Instruction i)
    {
        if (i.Op0Kind == OpKind.Memory)
        {
            if (i.Op1Kind == OpKind.Register)
            {
                if (i.Op1Register.IsSegmentRegister()) return TrySystem(i);
                StoreRegister(i, RegisterFile.Of(i.Op1Register), RegisterFile.SizeLog2(i.Op1Register));
                return true;
            }
            MicroOp* store = EmitAddress(OpCode.StoreImm8 + SizeOf(i), 0, WithoutIndex(AddressOf(i, isWrite: true)));
            store->Imm = (int)i.GetImmediate(1);
            return true;
        }
        Register target = i.Op0Register;
        if (!target.IsGPR()) return TrySystem(i);
        int size = RegisterFile.SizeLog2(target);
        byte a = RegisterFile.Of(target);
        switch (i.Op1Kind)
        {
            case OpKind.Register:
                if (!i.Op1Register.IsGPR()) return TrySystem(i);
                Emit(OpCode.MovRR8 + size, a, RegisterFile.Of(i.Op1Register));
                return true;
            case OpKind.Memory:
                EmitLoad(OpCode.Load8 + size, a, AddressOf(i));
                return true;
            default:
                EmitConstant(a, size, i.GetImmediate(1));
                return true;
        }
    }

    private void EmitConstant(byte a, int size, ulong value)
    {
        if (size < 2) Emit(size == 0 ? OpCode.MovRI8 : OpCode.MovRI16, a, 0, (int)value);
        else Emit(OpCode.MovRI64, a, 0)->Wide = size == 2 ? (uint)value : value;
    }

    private void StoreRegister(in Instruction i, byte a, int size)
    {
        Address address = AddressOf(i, isWrite: true);
        EmitAddress((address.HasIndex ? OpCode.Store8Index : OpCode.Store8) + size, a, address);
    }

    private void Extend(in Instruction i, bool isSigned)
    {
        byte a = RegisterFile.Of(i.Op0Register);
        int to = RegisterFile.SizeLog2(i.Op0Register);
        int from = SizeOf(i, 1);
        bool isMemory = i.Op1Kind == OpKind.Memory;
        if (to <= from)
        {
            // MOVSXD without REX.W, and MOVZX to the same size: plain moves.
            if (isMemory) EmitLoad(OpCode.Load8 + to, a, AddressOf(i));
            else Emit(OpCode.MovRR8 + to, a, RegisterFile.Of(i.Op1Register));
            return;
        }
        if (to == 1)
        {
            byte source = RegisterFile.Temp0;
            if (isMemory) EmitLoadTemp(i, 0);
            else source = RegisterFile.Of(i.Op1Register);
            Emit(isSigned ? OpCode.MovSx8To16 : OpCode.MovZx8To16, a, source);
            return;
        }
        OpCode load;
        OpCode move;
        if (!isSigned)
        {
            load = from == 0 ? OpCode.LoadZx8 : OpCode.LoadZx16;
            move = from == 0 ? OpCode.MovZx8To64 : OpCode.MovZx16To64;
        }
        else if (from == 2)
        {
            load = OpCode.LoadSx32To64;
            move = OpCode.MovSx32To64;
        }
        else
        {
            int step = (from == 0 ? 0 : 2) + (to == 2 ? 0 : 1);
            load = OpCode.LoadSx8To32 + step;
            move = OpCode.MovSx8To32 + step;
        }
        if (isMemory) EmitLoad(load, a, AddressOf(i));
        else Emit(move, a, RegisterFile.Of(i.Op1Register));
    }

    private void Lea(in Instruction i)
    {
        byte a = RegisterFile.Of(i.Op0Register);
        int size = RegisterFile.SizeLog2(i.Op0Register);
        Address address = OffsetOf(i, out int addressBytes);
        bool narrow = addressBytes < 4 || size == 1;
        if (narrow || (addressBytes == 4 && size == 3 && !Is64))
        {
            Collapse(address, addressBytes);
            Emit(OpCode.MovRR8 + size, a, RegisterFile.Temp1);
            return;
        }
        bool is64 = size == 3 && addressBytes == 8;
        EmitLea(a, is64, address);
    }

    private void EmitLea(byte a, bool is64, in Address address)
    {
        OpCode code = address.HasIndex ? (is64 ? OpCode.LeaIndex64 : OpCode.LeaIndex32)
            : is64 ? OpCode.Lea64 : OpCode.Lea32;
        EmitAddress(code, a, address);
    }

    private bool TryExchange(in Instruction i)
    {
        int size = SizeOf(i);
        if (i.Op0Kind == OpKind.Memory) return TryLocked(i);
        if (i.Op1Kind == OpKind.Memory) return TryLocked(i);
        byte a = RegisterFile.Of(i.Op0Register);
        byte b = RegisterFile.Of(i.Op1Register);
        Emit(OpCode.MovRR64, RegisterFile.Temp0, (byte)(size == 0 ? a & ~7 : a));
        if (size == 0) Emit(OpCode.MovRR8, RegisterFile.Temp0, a);
        Emit(OpCode.MovRR8 + size, a, b);
        Emit(OpCode.MovRR8 + size, b, RegisterFile.Temp0);
        return true;
    }

    private bool TryCmov(in Instruction i)
    {
        byte a = RegisterFile.Of(i.Op0Register);
        int size = RegisterFile.SizeLog2(i.Op0Register);
        byte b = RegisterFile.Temp0;
        if (i.Op1Kind == OpKind.Memory) EmitLoadTemp(i, size);
        else b = RegisterFile.Of(i.Op1Register);
        int condition = Conditions.Encoding(i.ConditionCode);
        int truth = CompareTruth(condition);
        if (size == 1)
        {
            MicroOp* op = Group(OpCode.GroupInteger, (byte)IntegerOp.Cmov, size);
            op->A = a;
            op->B = b;
            op->Imm = condition;
            return true;
        }
        OpCode code = truth >= 0 ? (size == 2 ? OpCode.CmovSub32 : OpCode.CmovSub64)
            : size == 2 ? OpCode.CmovAny32 : OpCode.CmovAny64;
        Emit(code, a, b)->Scale = (byte)(truth >= 0 ? truth : condition);
        return true;
    }

    private bool TrySet(in Instruction i)
    {
        bool isMemory = i.Op0Kind == OpKind.Memory;
        byte a = isMemory ? RegisterFile.Temp0 : RegisterFile.Of(i.Op0Register);
        int condition = Conditions.Encoding(i.ConditionCode);
        int truth = CompareTruth(condition);
        Emit(truth >= 0 ? OpCode.SetSub : OpCode.SetAny, a, (byte)(truth >= 0 ? truth : condition));
        if (isMemory) StoreRegister(i, a, 0);
        return true;
    }

    /// <summary>
    /// The truth table of a condition over <see cref="Flags.CompareIndex"/>, or -1 when the flags here do not come from
    /// a subtraction, or the condition needs more than an order.
    /// </summary>
    private int CompareTruth(int condition)
    {
        if (_flags != KnownFlags.Subtraction) return -1;
        return Conditions.Truth(condition);
    }
}
