using System.Numerics;
using System.Runtime.CompilerServices;

namespace Pagoda.Machine.Cpu;

/// <summary>Integer operations out of line. Operands are registers of the file, values zero-extended.</summary>
public sealed unsafe partial class SoftVcpu
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    private Outcome ExecuteInteger(MicroOp* op)
    {
        VcpuState* s = _state;
        var operation = (IntegerOp)op->Sub;
        int size = op->SizeLog2;
        if (operation <= IntegerOp.Sar)
        {
            ulong a = ReadRegister(op->A, size);
            ulong b = ReadRegister(op->B, operation >= IntegerOp.Rol ? 0 : size);
            StoreRegister(op->A, size, Modify(operation, size, a, b));
            if (operation == IntegerOp.Xadd && op->A != op->B) StoreRegister(op->B, size, a);
            return Outcome.Next;
        }
        return operation >= IntegerOp.Mul ? MultiplyOrDivide(op) : Miscellaneous(op);
    }

    private Outcome Miscellaneous(MicroOp* op)
    {
        VcpuState* s = _state;
        int size = op->SizeLog2;
        switch ((IntegerOp)op->Sub)
        {
            case IntegerOp.Bt:
                SetCarry(ReadRegister(op->A, size) >> (int)(ReadRegister(op->B, size) & ((8U << size) - 1)) & 1);
                return Outcome.Next;
            case IntegerOp.Shld:
            case IntegerOp.Shrd:
                DoubleShift(op);
                return Outcome.Next;
            case IntegerOp.Bsf:
            case IntegerOp.Bsr:
            case IntegerOp.Popcnt:
            case IntegerOp.Lzcnt:
                CountBits(op);
                return Outcome.Next;
            case IntegerOp.Bswap:
                ulong value = ReadRegister(op->A, size);
                value = size == 3 ? Swap(value) : Swap(value) >> 32;
                StoreRegister(op->A, size, size == 1 ? 0 : value);
                return Outcome.Next;
            case IntegerOp.Cmpxchg:
                ulong accumulator = ReadRegister(RegisterFile.Rax, size);
                ulong current = ReadRegister(op->A, size);
                SetSubtraction(size, accumulator, current);
                if (accumulator == current) StoreRegister(op->A, size, ReadRegister(op->B, size));
                else StoreRegister(RegisterFile.Rax, size, current);
                return Outcome.Next;
            case IntegerOp.Cmov:
                if (Flags.Test(s, op->Imm)) StoreRegister(op->A, size, ReadRegister(op->B, size));
                return Outcome.Next;
            case IntegerOp.Cwd:
                bool isNegative = SignExtended(RegisterFile.Rax, size) < 0;
                StoreRegister(RegisterFile.Rdx, size, isNegative ? ulong.MaxValue : 0);
                return Outcome.Next;
            case IntegerOp.Loop:
                return Loop(op);
            case >= IntegerOp.Daa and <= IntegerOp.Aad:
                return AdjustDecimal(op);
            default:
                return FlagInstruction((IntegerOp)op->Sub);
        }
    }

    private static ulong Swap(ulong value) => System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(value);

    private Outcome FlagInstruction(IntegerOp operation)
    {
        VcpuState* s = _state;
        switch (operation)
        {
            case IntegerOp.Lahf:
                *((byte*)s + 1) = (byte)(Flags.Materialize(s) | Flags.Fixed);
                break;
            case IntegerOp.Sahf:
                ulong kept = Flags.Materialize(s) & Flags.Overflow;
                Flags.Set(s, kept | *((byte*)s + 1));
                break;
            case IntegerOp.Clc:
                SetCarry(0);
                break;
            case IntegerOp.Stc:
                SetCarry(1);
                break;
            case IntegerOp.Cmc:
                SetCarry(Flags.CarryOf(s) ^ 1);
                break;
            case IntegerOp.Cld:
                s->SystemFlags &= ~Flags.Direction;
                break;
            default:
                s->SystemFlags |= Flags.Direction;
                break;
        }
        return Outcome.Next;
    }

    /// <summary>Counts down; Temp0 says whether to go on.</summary>
    private Outcome Loop(MicroOp* op)
    {
        int size = op->SizeLog2;
        ulong count = (ReadRegister(RegisterFile.Rcx, size) - 1) & OperandMask(size);
        StoreRegister(RegisterFile.Rcx, size, count);
        bool goesOn = count != 0;
        if (op->Imm == 1) goesOn &= Flags.IsZero(_state);
        if (op->Imm == 2) goesOn &= !Flags.IsZero(_state);
        _state->Temp0 = goesOn ? 1UL : 0UL;
        return Outcome.Next;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong ReadRegister(byte register, int sizeLog2)
    {
        byte* cell = (byte*)_state + register;
        return sizeLog2 switch
        {
            0 => *cell,
            1 => *(ushort*)cell,
            2 => *(uint*)cell,
            _ => *(ulong*)cell,
        };
    }

    private static ulong Extend(int sizeLog2, ulong value) => sizeLog2 switch
    {
        0 => (ulong)(sbyte)value,
        1 => (ulong)(short)value,
        2 => (ulong)(int)value,
        _ => value,
    };

    private void SetSubtraction(int size, ulong a, ulong b)
    {
        _state->FlagA = Extend(size, a);
        _state->FlagB = Extend(size, b);
        _state->FlagKind = Flags.Sub8 + (uint)size;
    }

    private void SetResult(int size, ulong result, ulong bits)
    {
        _state->FlagA = Extend(size, result);
        _state->FlagB = bits;
        _state->FlagKind = Flags.Result;
    }

    private void SetCarry(ulong carry) => SetCarryAndOverflow(carry, Flags.IsOverflow(_state) ? 1UL : 0UL);

    /// <summary>Computes a result from a destination and a source, and sets the flags.</summary>
    private ulong Modify(IntegerOp operation, int size, ulong a, ulong b)
    {
        VcpuState* s = _state;
        ulong mask = OperandMask(size);
        switch (operation)
        {
            case IntegerOp.Add:
            case IntegerOp.Xadd:
                s->FlagA = Extend(size, a + b);
                s->FlagB = Extend(size, b);
                s->FlagKind = Flags.Add8 + (uint)size;
                return a + b;
            case IntegerOp.Or:
                return Logic(size, a | b);
            case IntegerOp.And:
                return Logic(size, a & b);
            case IntegerOp.Xor:
                return Logic(size, a ^ b);
            case IntegerOp.Sub:
                SetSubtraction(size, a, b);
                return a - b;
            case IntegerOp.Adc:
                return AddWithCarry(size, a, b);
            case IntegerOp.Sbb:
                return SubtractWithBorrow(size, a, b);
            case IntegerOp.Inc:
                return Step(size, (a + 1) & mask, (mask >> 1) + 1, 0);
            case IntegerOp.Dec:
                return Step(size, (a - 1) & mask, mask >> 1, 15);
            case IntegerOp.Neg:
                SetSubtraction(size, 0, a);
                return 0 - a;
            case IntegerOp.Not:
                return ~a;
            case IntegerOp.Exchange:
                return b;
            case IntegerOp.Bts:
            case IntegerOp.Btr:
            case IntegerOp.Btc:
                ulong bit = 1UL << (int)(b & ((8U << size) - 1));
                SetCarry((a & bit) != 0 ? 1UL : 0UL);
                return operation == IntegerOp.Bts ? a | bit : operation == IntegerOp.Btr ? a & ~bit : a ^ bit;
            default:
                return ShiftOrRotate(operation, size, a, (int)b);
        }
    }

    private ulong Logic(int size, ulong result)
    {
        _state->FlagA = Extend(size, result);
        _state->FlagB = 0;
        _state->FlagKind = Flags.Logic;
        return result;
    }

    private ulong Step(int size, ulong result, ulong overflowsAt, ulong adjustsAt)
    {
        ulong bits = Flags.CarryOf(_state);
        if (result == overflowsAt) bits |= Flags.Overflow;
        if ((result & 15) == adjustsAt) bits |= Flags.Adjust;
        SetResult(size, result, bits);
        return result;
    }

    private ulong AddWithCarry(int size, ulong a, ulong b)
    {
        ulong result = a + b + Flags.CarryOf(_state);
        ulong carries = (a & b) | ((a | b) & ~result);
        SetResult(size, result, CarryBits(size, carries));
        return result;
    }

    private ulong SubtractWithBorrow(int size, ulong a, ulong b)
    {
        ulong result = a - b - Flags.CarryOf(_state);
        ulong borrows = (~a & b) | ((~a | b) & result);
        SetResult(size, result, CarryBits(size, borrows));
        return result;
    }

    /// <summary>CF, OF and AF from the vector of carries out of each bit.</summary>
    private static ulong CarryBits(int size, ulong carries)
    {
        int top = (8 << size) - 1;
        ulong carry = carries >> top & 1;
        ulong overflow = carry ^ (carries >> (top - 1) & 1);
        return carry | overflow << 11 | (carries >> 3 & 1) << 4;
    }

    private ulong ShiftOrRotate(IntegerOp operation, int size, ulong a, int count)
    {
        int bits = 8 << size;
        count &= size == 3 ? 63 : 31;
        if (count == 0) return a;
        switch (operation)
        {
            case IntegerOp.Shl:
                return ShiftLeft(size, a, count);
            case IntegerOp.Shr:
            {
                ulong result = count < bits ? a >> count : 0;
                ulong carry = count <= bits ? a >> (count - 1) & 1 : 0;
                SetResult(size, result, carry | ((result << 1 ^ result) >> (bits - 1) & 1) << 11);
                return result;
            }
            case IntegerOp.Sar:
            {
                long signed = (long)Extend(size, a);
                ulong carry = (ulong)(signed >> (count - 1 > 63 ? 63 : count - 1)) & 1;
                ulong result = (ulong)(signed >> (count > 63 ? 63 : count));
                SetResult(size, result, carry);
                return result;
            }
            case IntegerOp.Rol:
            case IntegerOp.Ror:
                return Rotate(size, a, operation == IntegerOp.Rol ? count : bits - count % bits, operation);
            default:
                return RotateThroughCarry(operation, size, a, count);
        }
    }

    private ulong ShiftLeft(int size, ulong a, int count)
    {
        int bits = 8 << size;
        ulong result = count < bits ? a << count : 0;
        ulong carry = count <= bits ? a >> (bits - count) & 1 : 0;
        SetResult(size, result, carry | ((result >> (bits - 1) & 1) ^ carry) << 11);
        return result;
    }

    private ulong Rotate(int size, ulong a, int left, IntegerOp operation)
    {
        int bits = 8 << size;
        left %= bits;
        ulong mask = OperandMask(size);
        ulong result = left == 0 ? a : (a << left | a >> (bits - left)) & mask;
        ulong top = result >> (bits - 1) & 1;
        ulong carry = operation == IntegerOp.Rol ? result & 1 : top;
        ulong overflow = operation == IntegerOp.Rol ? top ^ carry : top ^ (result >> (bits - 2) & 1);
        SetCarryAndOverflow(carry, overflow);
        return result;
    }

    private ulong RotateThroughCarry(IntegerOp operation, int size, ulong a, int count)
    {
        int bits = 8 << size;
        count %= bits + 1;
        if (count == 0) return a;
        ulong carry = Flags.CarryOf(_state);
        // The operand with the carry on top, as a number of bits + 1 bits.
        System.UInt128 wide = (System.UInt128)a | (System.UInt128)carry << bits;
        System.UInt128 mask = ((System.UInt128)1 << (bits + 1)) - 1;
        int left = operation == IntegerOp.Rcl ? count : bits + 1 - count;
        System.UInt128 turned = (wide << left | wide >> (bits + 1 - left)) & mask;
        ulong result = (ulong)turned & OperandMask(size);
        carry = (ulong)(turned >> bits) & 1;
        ulong top = result >> (bits - 1) & 1;
        ulong overflow = operation == IntegerOp.Rcl ? top ^ carry : top ^ (result >> (bits - 2) & 1);
        SetCarryAndOverflow(carry, overflow);
        return result;
    }

    private void SetCarryAndOverflow(ulong carry, ulong overflow) =>
        _state->FlagKind = Flags.Overlay(_state->FlagKind, carry, overflow);

    private void DoubleShift(MicroOp* op)
    {
        int size = op->SizeLog2;
        int bits = 8 << size;
        int count = *((byte*)_state + op->Imm) & (size == 3 ? 63 : 31);
        ulong a = ReadRegister(op->A, size);
        if (count == 0)
        {
            StoreRegister(op->A, size, a);
            return;
        }
        if (count > bits) count %= bits;        // 16-bit operands only: undefined, so anything will do
        bool isLeft = (IntegerOp)op->Sub == IntegerOp.Shld;
        System.UInt128 b = ReadRegister(op->B, size);
        System.UInt128 wide = isLeft ? (System.UInt128)a << bits | b : b << bits | a;
        ulong result = (ulong)(isLeft ? wide << count >> bits : wide >> count) & OperandMask(size);
        ulong carry = isLeft ? a >> (bits - count) & 1 : a >> (count - 1) & 1;
        ulong overflow = (a ^ result) >> (bits - 1) & 1;
        StoreRegister(op->A, size, result);
        SetResult(size, result, carry | overflow << 11);
    }

    private void CountBits(MicroOp* op)
    {
        VcpuState* s = _state;
        int size = op->SizeLog2;
        ulong b = ReadRegister(op->B, size);
        int bits = 8 << size;
        ulong result;
        switch ((IntegerOp)op->Sub)
        {
            case IntegerOp.Popcnt:
                result = (ulong)BitOperations.PopCount(b);
                Flags.Set(s, b == 0 ? Flags.Zero : 0);
                break;
            case IntegerOp.Lzcnt:
                int count = b == 0 ? bits : bits - 1 - BitOperations.Log2(b);
                result = (ulong)count;
                Flags.Set(s, (b == 0 ? Flags.Carry : 0) | (count == 0 ? Flags.Zero : 0));
                break;
            default:
                ulong image = Flags.Materialize(s) & ~Flags.Zero;
                Flags.Set(s, image | (b == 0 ? Flags.Zero : 0));
                if (b == 0) return;             // the destination keeps its value, as every processor does it
                bool isForward = (IntegerOp)op->Sub == IntegerOp.Bsf;
                result = (ulong)(isForward ? BitOperations.TrailingZeroCount(b) : BitOperations.Log2(b));
                break;
        }
        StoreRegister(op->A, size, result);
    }
}
