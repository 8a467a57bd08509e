using System;

namespace Pagoda.Machine.Cpu;

/// <summary>Multiplication with an upper half, and division.</summary>
public sealed unsafe partial class SoftVcpu
{
    private Outcome MultiplyOrDivide(MicroOp* op)
    {
        int size = op->SizeLog2;
        switch ((IntegerOp)op->Sub)
        {
            case IntegerOp.Mul:
                Multiply(size, ReadRegister(op->B, size));
                return Outcome.Next;
            case IntegerOp.ImulWide:
                MultiplySigned(size, SignExtended(op->B, size));
                return Outcome.Next;
            case IntegerOp.Imul:
                long product = SignExtended(op->A, size) * SignExtended(op->B, size);
                StoreRegister(op->A, size, (ulong)product);
                bool fits = product == (long)Extend(size, (ulong)product);
                SetResult(size, (ulong)product, fits ? 0 : Flags.Carry | Flags.Overflow);
                return Outcome.Next;
            case IntegerOp.Div:
                return Divide(size, ReadRegister(op->B, size));
            default:
                return DivideSigned(size, SignExtended(op->B, size));
        }
    }

    private void Multiply(int size, ulong b)
    {
        ulong high = Math.BigMul(ReadRegister(RegisterFile.Rax, size), b, out ulong low);
        if (size < 3) high = low >> (8 << size);
        StoreProduct(size, low, high);
        SetResult(size, low, (high & OperandMask(size)) == 0 ? 0 : Flags.Carry | Flags.Overflow);
    }

    private void MultiplySigned(int size, long b)
    {
        long high = Math.BigMul(SignExtended(RegisterFile.Rax, size), b, out long low);
        bool fits = size < 3 ? low == (long)Extend(size, (ulong)low) : high == low >> 63;
        if (size < 3) high = low >> (8 << size);
        StoreProduct(size, (ulong)low, (ulong)high);
        SetResult(size, (ulong)low, fits ? 0 : Flags.Carry | Flags.Overflow);
    }

    private void StoreProduct(int size, ulong low, ulong high)
    {
        if (size == 0)
        {
            StoreRegister(RegisterFile.Rax, 1, low);
            return;
        }
        StoreRegister(RegisterFile.Rax, size, low);
        StoreRegister(RegisterFile.Rdx, size, high);
    }

    private UInt128 Dividend(int size)
    {
        if (size == 0) return ReadRegister(RegisterFile.Rax, 1);
        UInt128 high = ReadRegister(RegisterFile.Rdx, size);
        return high << (8 << size) | ReadRegister(RegisterFile.Rax, size);
    }

    private Outcome Divide(int size, ulong divisor)
    {
        if (divisor == 0) return RaiseFault(DivideError);
        if (size < 3 || _state->Gpr[2] == 0)
        {
            ulong narrow = size switch
            {
                0 => ReadRegister(RegisterFile.Rax, 1),
                1 => ReadRegister(RegisterFile.Rdx, 1) << 16 | ReadRegister(RegisterFile.Rax, 1),
                2 => _state->Gpr[2] << 32 | (uint)_state->Gpr[0],
                _ => _state->Gpr[0],
            };
            (ulong quotient, ulong rest) = Math.DivRem(narrow, divisor);
            if (quotient > OperandMask(size)) return RaiseFault(DivideError);
            StoreQuotient(size, quotient, rest);
            return Outcome.Next;
        }
        if (_state->Gpr[2] >= divisor) return RaiseFault(DivideError);
        (UInt128 wideQuotient, UInt128 wideRest) = UInt128.DivRem(Dividend(size), divisor);
        StoreQuotient(size, (ulong)wideQuotient, (ulong)wideRest);
        return Outcome.Next;
    }

    private Outcome DivideSigned(int size, long divisor)
    {
        if (divisor == 0) return RaiseFault(DivideError);
        int bits = 16 << size;
        var dividend = (Int128)(Dividend(size) << (128 - bits)) >> (128 - bits);
        (Int128 quotient, Int128 rest) = Int128.DivRem(dividend, divisor);
        Int128 limit = Int128.One << ((8 << size) - 1);
        if (quotient >= limit || quotient < -limit) return RaiseFault(DivideError);
        StoreQuotient(size, (ulong)quotient, (ulong)rest);
        return Outcome.Next;
    }

    private void StoreQuotient(int size, ulong quotient, ulong rest)
    {
        if (size == 0)
        {
            *(ushort*)_state = (ushort)((byte)quotient | (byte)rest << 8);
            return;
        }
        StoreRegister(RegisterFile.Rax, size, quotient);
        StoreRegister(RegisterFile.Rdx, size, rest);
    }
}
