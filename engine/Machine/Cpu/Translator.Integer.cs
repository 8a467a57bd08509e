using Iced.Intel;

namespace Pagoda.Machine.Cpu;

/// <summary>Integer instructions that go to a call: operands are brought into registers first.</summary>
internal sealed unsafe partial class Translator
{
    private bool TryInteger(in Instruction i)
    {
        switch (i.Mnemonic)
        {
            case Mnemonic.Adc:
                return WithCarry(i, IntegerOp.Adc);
            case Mnemonic.Sbb:
                return WithCarry(i, IntegerOp.Sbb);
            case Mnemonic.Rcl or Mnemonic.Rcr:
                return Modify(i, i.Mnemonic == Mnemonic.Rcl ? IntegerOp.Rcl : IntegerOp.Rcr);
            case Mnemonic.Shld or Mnemonic.Shrd:
                return DoubleShift(i, i.Mnemonic == Mnemonic.Shld ? IntegerOp.Shld : IntegerOp.Shrd);
            case Mnemonic.Bt:
                return BitTest(i, IntegerOp.Bt);
            case Mnemonic.Bts:
                return BitTest(i, IntegerOp.Bts);
            case Mnemonic.Btr:
                return BitTest(i, IntegerOp.Btr);
            case Mnemonic.Btc:
                return BitTest(i, IntegerOp.Btc);
            case Mnemonic.Bsf:
                return FromSource(i, IntegerOp.Bsf);
            case Mnemonic.Bsr:
                return FromSource(i, IntegerOp.Bsr);
            case Mnemonic.Popcnt:
                return FromSource(i, IntegerOp.Popcnt);
            case Mnemonic.Lzcnt:
                return FromSource(i, IntegerOp.Lzcnt);
            case Mnemonic.Tzcnt:
                // BMI1 is not reported, and without it the prefix means nothing.
                return FromSource(i, IntegerOp.Bsf);
            case Mnemonic.Imul:
                return i.OpCount == 1 ? Wide(i, IntegerOp.ImulWide) : NarrowImul(i);
            case Mnemonic.Mul:
                return Wide(i, IntegerOp.Mul);
            case Mnemonic.Div:
                return Wide(i, IntegerOp.Div);
            case Mnemonic.Idiv:
                return Wide(i, IntegerOp.Idiv);
            case Mnemonic.Xadd or Mnemonic.Cmpxchg:
                return Modify(i, i.Mnemonic == Mnemonic.Xadd ? IntegerOp.Xadd : IntegerOp.Cmpxchg);
            case Mnemonic.Cmpxchg8b or Mnemonic.Cmpxchg16b:
                return TryLocked(i);
            default:
                return TryImplied(i);
        }
    }

    /// <summary>Instructions without operands, or with registers alone.</summary>
    private bool TryImplied(in Instruction i)
    {
        switch (i.Mnemonic)
        {
            case Mnemonic.Bswap:
                EmitInteger(IntegerOp.Bswap, RegisterFile.Of(i.Op0Register), 0, SizeOf(i));
                return true;
            case Mnemonic.Cbw:
                Emit(OpCode.MovSx8To16, RegisterFile.Rax, RegisterFile.Rax);
                return true;
            case Mnemonic.Cwde:
                Emit(OpCode.MovSx16To32, RegisterFile.Rax, RegisterFile.Rax);
                return true;
            case Mnemonic.Cdqe:
                Emit(OpCode.MovSx32To64, RegisterFile.Rax, RegisterFile.Rax);
                return true;
            case Mnemonic.Cwd:
                return Implied(IntegerOp.Cwd, 1);
            case Mnemonic.Cdq:
                return Implied(IntegerOp.Cwd, 2);
            case Mnemonic.Cqo:
                return Implied(IntegerOp.Cwd, 3);
            case Mnemonic.Lahf:
                return Implied(IntegerOp.Lahf, 0);
            case Mnemonic.Sahf:
                return Implied(IntegerOp.Sahf, 0);
            case Mnemonic.Clc:
                return Implied(IntegerOp.Clc, 0);
            case Mnemonic.Stc:
                return Implied(IntegerOp.Stc, 0);
            case Mnemonic.Cmc:
                return Implied(IntegerOp.Cmc, 0);
            case Mnemonic.Cld:
                return Implied(IntegerOp.Cld, 0);
            case Mnemonic.Std:
                return Implied(IntegerOp.Std, 0);
            case Mnemonic.Xlatb:
                EmitLoad(OpCode.Load8, RegisterFile.Rax, AddressOf(i));
                return true;
            default:
                return TryDecimal(i);
        }
    }

    /// <summary>Adjustments of decimal numbers, which 64-bit mode does not know.</summary>
    private bool TryDecimal(in Instruction i)
    {
        switch (i.Mnemonic)
        {
            case Mnemonic.Daa:
                return Implied(IntegerOp.Daa, 0);
            case Mnemonic.Das:
                return Implied(IntegerOp.Das, 0);
            case Mnemonic.Aaa:
                return Implied(IntegerOp.Aaa, 0);
            case Mnemonic.Aas:
                return Implied(IntegerOp.Aas, 0);
            case Mnemonic.Aam or Mnemonic.Aad:
                Implied(i.Mnemonic == Mnemonic.Aam ? IntegerOp.Aam : IntegerOp.Aad, 0);
                _last->Imm = i.Immediate8;
                return true;
            default:
                return false;
        }
    }

    private bool Implied(IntegerOp operation, int size)
    {
        EmitInteger(operation, 0, 0, size);
        return true;
    }

    /// <summary>ADC and SBB: any two operands.</summary>
    private bool WithCarry(in Instruction i, IntegerOp operation)
    {
        int size = SizeOf(i);
        bool isMemory = i.Op0Kind == OpKind.Memory;
        byte a = isMemory ? RegisterFile.Temp0 : RegisterFile.Of(i.Op0Register);
        byte b = RegisterFile.Temp2;
        if (isMemory) EmitRmwLoad(i, size);
        if (i.Op1Kind == OpKind.Memory) EmitLoadTemp(i, size, RegisterFile.Temp2);
        else if (i.Op1Kind == OpKind.Register) b = RegisterFile.Of(i.Op1Register);
        else Emit(OpCode.MovRI64, b, 0)->Wide = i.GetImmediate(1);
        EmitInteger(operation, a, b, size);
        if (isMemory) EmitRmwStore(size);
        return true;
    }

    /// <summary>A first operand that is read and written, a second that is a register or constant.</summary>
    private bool Modify(in Instruction i, IntegerOp operation)
    {
        int size = SizeOf(i);
        bool isMemory = i.Op0Kind == OpKind.Memory;
        byte a = isMemory ? RegisterFile.Temp0 : RegisterFile.Of(i.Op0Register);
        if (isMemory) EmitRmwLoad(i, size);
        EmitInteger(operation, a, SecondOperand(i), size);
        if (isMemory) EmitRmwStore(size);
        return true;
    }

    private byte SecondOperand(in Instruction i, int operand = 1)
    {
        if (i.GetOpKind(operand) == OpKind.Register) return RegisterFile.Of(i.GetOpRegister(operand));
        Emit(OpCode.MovRI64, RegisterFile.Temp2, 0)->Wide = i.GetImmediate(operand);
        return RegisterFile.Temp2;
    }

    private bool DoubleShift(in Instruction i, IntegerOp operation)
    {
        int size = SizeOf(i);
        bool isMemory = i.Op0Kind == OpKind.Memory;
        byte a = isMemory ? RegisterFile.Temp0 : RegisterFile.Of(i.Op0Register);
        if (isMemory) EmitRmwLoad(i, size);
        byte count = SecondOperand(i, 2);
        EmitInteger(operation, a, RegisterFile.Of(i.Op1Register), size);
        _last->Imm = count;
        if (isMemory) EmitRmwStore(size);
        return true;
    }

    private bool BitTest(in Instruction i, IntegerOp operation)
    {
        int size = SizeOf(i);
        if (i.Op0Kind != OpKind.Memory)
        {
            EmitInteger(operation, RegisterFile.Of(i.Op0Register), SecondOperand(i), size);
            return true;
        }
        Address address = EmitBitAddress(i, size, out byte bit);
        if (operation == IntegerOp.Bt)
        {
            OpCode load = size == 1 ? OpCode.LoadZx16 : size == 2 ? OpCode.Load32 : OpCode.Load64;
            EmitLoad(load, RegisterFile.Temp0, address);
            EmitInteger(operation, RegisterFile.Temp0, bit, size);
            return true;
        }
        EmitAddress(OpCode.RmwLoad8 + size, RegisterFile.Temp0, WithoutIndex(address));
        EmitInteger(operation, RegisterFile.Temp0, bit, size);
        EmitRmwStore(size);
        return true;
    }

    /// <summary>The operand that holds the bit: a register's bit offset may reach far from the address.</summary>
    private Address EmitBitAddress(in Instruction i, int size, out byte bit)
    {
        bit = RegisterFile.Temp2;
        Address address = AddressOf(i, isWrite: i.Mnemonic != Mnemonic.Bt);
        if (i.Op1Kind != OpKind.Register)
        {
            Emit(OpCode.MovRI64, RegisterFile.Temp2, 0)->Wide = i.GetImmediate(1);
            return address;
        }
        EmitAddress(OpCode.LeaIndex64, RegisterFile.Temp1, address);
        MicroOp* op = Group(OpCode.GroupAddress, (byte)AddressOp.BitString, size);
        op->B = RegisterFile.Of(i.Op1Register);
        return new Address { Base = RegisterFile.Temp1, Index = RegisterFile.Zero };
    }

    private bool FromSource(in Instruction i, IntegerOp operation)
    {
        int size = SizeOf(i);
        byte b = RegisterFile.Temp0;
        if (i.Op1Kind == OpKind.Memory) EmitLoadTemp(i, size);
        else b = RegisterFile.Of(i.Op1Register);
        EmitInteger(operation, RegisterFile.Of(i.Op0Register), b, size);
        return true;
    }

    /// <summary>MUL, DIV and their kin: one operand beside the accumulator.</summary>
    private bool Wide(in Instruction i, IntegerOp operation)
    {
        int size = SizeOf(i);
        byte b = RegisterFile.Temp0;
        if (i.Op0Kind == OpKind.Memory) EmitLoadTemp(i, size);
        else b = RegisterFile.Of(i.Op0Register);
        EmitInteger(operation, 0, b, size);
        return true;
    }

    private bool NarrowImul(in Instruction i)
    {
        byte b = RegisterFile.Temp0;
        if (i.Op1Kind == OpKind.Memory) EmitLoadTemp(i, 1);
        else b = RegisterFile.Of(i.Op1Register);
        byte a = RegisterFile.Of(i.Op0Register);
        if (i.OpCount == 3)
        {
            Emit(OpCode.MovRI64, RegisterFile.Temp2, 0)->Wide = i.GetImmediate(2);
            EmitInteger(IntegerOp.Imul, RegisterFile.Temp2, b, 1);
            Emit(OpCode.MovRR16, a, RegisterFile.Temp2);
            return true;
        }
        EmitInteger(IntegerOp.Imul, a, b, 1);
        return true;
    }

    /// <summary>Locked forms, and XCHG with memory, which always is.</summary>
    private bool TryLocked(in Instruction i)
    {
        int sub = LockedSub(i.Mnemonic);
        if (sub < 0) return false;
        int memory = i.Op0Kind == OpKind.Memory ? 0 : 1;
        if (i.GetOpKind(memory) != OpKind.Memory) return false;
        int size = SizeOf(i, memory);
        Address address;
        byte b = RegisterFile.Zero;
        if (i.Mnemonic is Mnemonic.Bts or Mnemonic.Btr or Mnemonic.Btc)
        {
            address = EmitBitAddress(i, size, out b);
        }
        else
        {
            if (i.OpCount > 1) b = SecondOperand(i, 1 - memory);
            address = AddressOf(i, isWrite: true);
        }
        address = WithoutIndex(address);
        MicroOp* op = Group(OpCode.GroupLocked, (byte)sub, size);
        op->A = RegisterFile.Temp0;
        op->B = b;
        op->Base = address.Base;
        op->Disp = address.Disp;
        op->Imm = i.Mnemonic == Mnemonic.Cmpxchg16b ? 1 : 0;
        Know(KnownFlags.Unknown, 0);
        return true;
    }

    private static int LockedSub(Mnemonic mnemonic) => mnemonic switch
    {
        Mnemonic.Add => (int)IntegerOp.Add,
        Mnemonic.Or => (int)IntegerOp.Or,
        Mnemonic.Adc => (int)IntegerOp.Adc,
        Mnemonic.Sbb => (int)IntegerOp.Sbb,
        Mnemonic.And => (int)IntegerOp.And,
        Mnemonic.Sub => (int)IntegerOp.Sub,
        Mnemonic.Xor => (int)IntegerOp.Xor,
        Mnemonic.Inc => (int)IntegerOp.Inc,
        Mnemonic.Dec => (int)IntegerOp.Dec,
        Mnemonic.Neg => (int)IntegerOp.Neg,
        Mnemonic.Not => (int)IntegerOp.Not,
        Mnemonic.Xchg => (int)IntegerOp.Exchange,
        Mnemonic.Xadd => (int)IntegerOp.Xadd,
        Mnemonic.Bts => (int)IntegerOp.Bts,
        Mnemonic.Btr => (int)IntegerOp.Btr,
        Mnemonic.Btc => (int)IntegerOp.Btc,
        Mnemonic.Cmpxchg => (int)LockedOp.Cmpxchg,
        Mnemonic.Cmpxchg8b or Mnemonic.Cmpxchg16b => (int)LockedOp.CmpxchgPair,
        _ => -1,
    };
}
