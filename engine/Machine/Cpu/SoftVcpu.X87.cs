using System;
using System.Runtime.CompilerServices;

namespace Pagoda.Machine.Cpu;

/// <summary>The x87 unit. It computes in double precision, whatever the control word asks for.</summary>
/// <remarks>
/// Departures from hardware: 53 instead of 64 bits of significand, rounding to nearest in arithmetic (the rounding
/// control is obeyed by stores of integers and FRNDINT), no exception is ever raised, and packed decimals and
/// transcendental functions are unsupported.
/// </remarks>
public sealed unsafe partial class SoftVcpu
{
    private const ushort FpuControlDefault = 0x037F;
    private const int ConditionC0 = 1 << 8;
    private const int ConditionC1 = 1 << 9;
    private const int ConditionC2 = 1 << 10;
    private const int ConditionC3 = 1 << 14;
    private const int Conditions4 = ConditionC0 | ConditionC1 | ConditionC2 | ConditionC3;

    private void ResetFpu()
    {
        _state->FpuControl = FpuControlDefault;
        _state->FpuStatus = 0;
        _state->FpuValid = 0;
        _state->FpuTop = 0;
        _state->Mxcsr = 0x1F80;
    }

    private ref ulong FpuRegister(int index) => ref _state->FpuStack[(_state->FpuTop + index) & 7];

    private double FpuRead(int index) => BitConverter.UInt64BitsToDouble(FpuRegister(index));

    private void FpuWrite(int index, double value)
    {
        FpuRegister(index) = BitConverter.DoubleToUInt64Bits(value);
        _state->FpuValid |= (byte)(1 << ((_state->FpuTop + index) & 7));
    }

    private void FpuPush(double value)
    {
        _state->FpuTop = (byte)((_state->FpuTop - 1) & 7);
        FpuWrite(0, value);
    }

    private void FpuPop(int count)
    {
        for (; count > 0; count--)
        {
            _state->FpuValid &= (byte)~(1 << _state->FpuTop);
            _state->FpuTop = (byte)((_state->FpuTop + 1) & 7);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private Outcome ExecuteX87(MicroOp* op)
    {
        VcpuState* s = _state;
        s->InsnNow = op->Insn;
        var operation = (FpuOp)op->Sub;
        ulong blocked = operation == FpuOp.Wait ? 0 : ControlBits.Emulation | ControlBits.TaskSwitched;
        if ((s->Cr0 & blocked) != 0) return RaiseFault(DeviceNotAvailable);
        switch (operation)
        {
            case FpuOp.Initialize:
                ResetFpu();
                return Outcome.Next;
            case FpuOp.LoadReal:
            case FpuOp.LoadInteger:
                if (!FpuOperand(op, out double loaded)) return Outcome.Fault;
                FpuPush(loaded);
                return Outcome.Next;
            case FpuOp.StoreReal:
            case FpuOp.StoreInteger:
            case FpuOp.StoreIntegerTruncated:
                if (!FpuStore(op)) return Outcome.Fault;
                FpuPop(op->Imm);
                return Outcome.Next;
            case FpuOp.Add:
            case FpuOp.Mul:
            case FpuOp.Sub:
            case FpuOp.SubReversed:
            case FpuOp.Div:
            case FpuOp.DivReversed:
                return FpuArithmetic(op);
            case FpuOp.Compare:
            case FpuOp.CompareFlags:
            case FpuOp.Test:
                return FpuCompare(op);
            case FpuOp.LoadControl:
            case FpuOp.StoreControl:
            case FpuOp.StoreStatus:
            case FpuOp.StoreStatusAx:
            case FpuOp.LoadState:
            case FpuOp.SaveState:
                return FpuControlWords(op);
            default:
                FpuRegisterOperation(op);
                return Outcome.Next;
        }
    }

    private ulong FpuAddress(MicroOp* op) =>
        (*(ulong*)((byte*)_state + op->Base) + (ulong)op->Disp) & _state->AddressMask;

    /// <summary>A memory operand as a double.</summary>
    private bool FpuOperand(MicroOp* op, out double value)
    {
        value = 0;
        int size = op->SizeLog2;
        ulong* words = stackalloc ulong[2];
        words[0] = 0;
        words[1] = 0;
        int bytes = size == Translator.ExtendedSize ? 10 : 1 << size;
        if (!ReadBytes(FpuAddress(op), (byte*)words, bytes, IsUser)) return false;
        bool isInteger = op->A != 0 || (FpuOp)op->Sub == FpuOp.LoadInteger;
        if (size == Translator.ExtendedSize) value = ExtendedReal.ToDouble(words[0], (ushort)words[1]);
        else if (isInteger) value = (long)Extend(size, words[0]);
        else value = size == 2 ? BitConverter.UInt32BitsToSingle((uint)words[0])
            : BitConverter.UInt64BitsToDouble(words[0]);
        return true;
    }

    private bool FpuStore(MicroOp* op)
    {
        int size = op->SizeLog2;
        double value = FpuRead(0);
        ulong* words = stackalloc ulong[2];
        words[1] = 0;
        int bytes = size == Translator.ExtendedSize ? 10 : 1 << size;
        if ((FpuOp)op->Sub != FpuOp.StoreReal)
        {
            bool truncates = (FpuOp)op->Sub == FpuOp.StoreIntegerTruncated;
            words[0] = FpuInteger(truncates ? Math.Truncate(value) : FpuRound(value), size);
        }
        else if (size == Translator.ExtendedSize)
        {
            words[0] = ExtendedReal.FromDouble(value, out ushort top);
            words[1] = top;
        }
        else
        {
            words[0] = size == 2 ? BitConverter.SingleToUInt32Bits((float)value)
                : BitConverter.DoubleToUInt64Bits(value);
        }
        return WriteBytes(op, FpuAddress(op), (byte*)words, bytes, IsUser);
    }

    /// <summary>Rounds to an integer as the rounding control says.</summary>
    private double FpuRound(double value) => (_state->FpuControl >> 10 & 3) switch
    {
        0 => Math.Round(value, MidpointRounding.ToEven),
        1 => Math.Floor(value),
        2 => Math.Ceiling(value),
        _ => Math.Truncate(value),
    };

    /// <summary>A rounded value as an integer of 2, 4 or 8 bytes; the integer indefinite where it does not
    /// fit.</summary>
    private static ulong FpuInteger(double value, int sizeLog2)
    {
        double limit = sizeLog2 == 1 ? 0x8000 : sizeLog2 == 2 ? 0x8000_0000 : 9223372036854775808.0;
        if (!(value >= -limit && value < limit)) return 1UL << ((8 << sizeLog2) - 1);
        return (ulong)(long)value;
    }

    private Outcome FpuArithmetic(MicroOp* op)
    {
        bool isMemory = op->SizeLog2 != Translator.RegisterOperand;
        double source;
        int target = 0;
        if (isMemory)
        {
            if (!FpuOperand(op, out source)) return Outcome.Fault;
        }
        else if (op->A != 0)
        {
            target = op->B;
            source = FpuRead(0);
        }
        else
        {
            source = FpuRead(op->B);
        }
        double value = FpuRead(target);
        double result = (FpuOp)op->Sub switch
        {
            FpuOp.Add => value + source,
            FpuOp.Mul => value * source,
            FpuOp.Sub => value - source,
            FpuOp.SubReversed => source - value,
            FpuOp.Div => value / source,
            _ => source / value,
        };
        FpuWrite(target, result);
        if (!isMemory) FpuPop(op->Imm);
        return Outcome.Next;
    }

    private Outcome FpuCompare(MicroOp* op)
    {
        VcpuState* s = _state;
        double other = 0;
        if ((FpuOp)op->Sub != FpuOp.Test)
        {
            if (op->SizeLog2 == Translator.RegisterOperand) other = FpuRead(op->B);
            else if (!FpuOperand(op, out other)) return Outcome.Fault;
        }
        double value = FpuRead(0);
        bool isUnordered = double.IsNaN(value) || double.IsNaN(other);
        bool isEqual = isUnordered || value == other;
        bool isBelow = isUnordered || value < other;
        if ((FpuOp)op->Sub == FpuOp.CompareFlags)
        {
            Flags.Set(s, (isEqual ? Flags.Zero : 0) | (isUnordered ? Flags.Parity : 0) | (isBelow ? Flags.Carry : 0));
        }
        else
        {
            int conditions = (isEqual ? ConditionC3 : 0) | (isUnordered ? ConditionC2 : 0)
                | (isBelow ? ConditionC0 : 0);
            s->FpuStatus = (ushort)(s->FpuStatus & ~Conditions4 | conditions);
        }
        FpuPop((FpuOp)op->Sub == FpuOp.Test ? 0 : op->Imm);
        return Outcome.Next;
    }

    private ushort FpuStatusWord => (ushort)(_state->FpuStatus & ~(7 << 11) | _state->FpuTop << 11);

    private Outcome FpuControlWords(MicroOp* op)
    {
        VcpuState* s = _state;
        ushort word = s->FpuControl;
        switch ((FpuOp)op->Sub)
        {
            case FpuOp.LoadControl:
                if (!ReadBytes(FpuAddress(op), (byte*)&word, 2, IsUser)) return Outcome.Fault;
                s->FpuControl = (ushort)(word | 0x40);
                return Outcome.Next;
            case FpuOp.StoreControl:
                return WriteBytes(op, FpuAddress(op), (byte*)&word, 2, IsUser) ? Outcome.Next : Outcome.Fault;
            case FpuOp.StoreStatus:
                word = FpuStatusWord;
                return WriteBytes(op, FpuAddress(op), (byte*)&word, 2, IsUser) ? Outcome.Next : Outcome.Fault;
            case FpuOp.StoreStatusAx:
                StoreRegister(RegisterFile.Rax, 1, FpuStatusWord);
                return Outcome.Next;
            default:
                return FpuWholeState(op);
        }
    }

    private void FpuRegisterOperation(MicroOp* op)
    {
        VcpuState* s = _state;
        double top = FpuRead(0);
        switch ((FpuOp)op->Sub)
        {
            case FpuOp.LoadRegister:
                FpuPush(FpuRead(op->B));
                break;
            case FpuOp.StoreRegister:
                FpuWrite(op->B, top);
                FpuPop(op->Imm);
                break;
            case FpuOp.Exchange:
                double other = FpuRead(op->B);
                FpuWrite(op->B, top);
                FpuWrite(0, other);
                break;
            case FpuOp.ChangeSign:
                FpuWrite(0, -top);
                break;
            case FpuOp.Absolute:
                FpuWrite(0, Math.Abs(top));
                break;
            case FpuOp.SquareRoot:
                FpuWrite(0, Math.Sqrt(top));
                break;
            case FpuOp.Round:
                FpuWrite(0, FpuRound(top));
                break;
            case FpuOp.Scale:
                FpuWrite(0, Math.ScaleB(top, (int)Math.Clamp(Math.Truncate(FpuRead(1)), -0x8000, 0x8000)));
                break;
            case FpuOp.Remainder:
                FpuWrite(0, op->B == 0 ? top % FpuRead(1)
                    : Math.IEEERemainder(top, FpuRead(1)));
                s->FpuStatus = (ushort)(s->FpuStatus & ~Conditions4);
                break;
            case FpuOp.Constant:
                FpuPush(FpuConstant(op->B));
                break;
            case FpuOp.Examine:
                FpuExamine(top);
                break;
            case FpuOp.Free:
                s->FpuValid &= (byte)~(1 << ((s->FpuTop + op->B) & 7));
                break;
            case FpuOp.DecrementTop:
                s->FpuTop = (byte)((s->FpuTop - 1) & 7);
                break;
            case FpuOp.IncrementTop:
                s->FpuTop = (byte)((s->FpuTop + 1) & 7);
                break;
            case FpuOp.ConditionalMove:
                if (Flags.Test(s, op->A)) FpuWrite(0, FpuRead(op->B));
                break;
            case FpuOp.ClearExceptions:
                s->FpuStatus &= 0x7F00;
                break;
        }
    }

    private static double FpuConstant(int which) => which switch
    {
        0 => 0,
        1 => 1,
        2 => Math.PI,
        3 => 1.4426950408889634,        // log2 e
        4 => 3.321928094887362,         // log2 10
        5 => 0.30102999566398120,       // log10 2
        _ => 0.69314718055994531,       // ln 2
    };

    /// <summary>FXAM: what kind of number the top is.</summary>
    private void FpuExamine(double top)
    {
        VcpuState* s = _state;
        bool isEmpty = (s->FpuValid >> s->FpuTop & 1) == 0;
        int kind = isEmpty ? ConditionC3 | ConditionC0
            : double.IsNaN(top) ? ConditionC0
            : double.IsInfinity(top) ? ConditionC2 | ConditionC0
            : top == 0 ? ConditionC3
            : double.IsSubnormal(top) ? ConditionC3 | ConditionC2 : ConditionC2;
        if (double.IsNegative(top)) kind |= ConditionC1;
        s->FpuStatus = (ushort)(s->FpuStatus & ~Conditions4 | kind);
    }

    /// <summary>FXSAVE and FXRSTOR: the x87 part; the rest of the 512 bytes is saved as zeros.</summary>
    private Outcome FpuWholeState(MicroOp* op)
    {
        const int AreaBytes = 512;
        VcpuState* s = _state;
        ulong address = FpuAddress(op);
        if ((address & 15) != 0) return RaiseFault(GeneralProtection);
        byte* area = stackalloc byte[AreaBytes];
        if ((FpuOp)op->Sub == FpuOp.LoadState)
        {
            if (!ReadBytes(address, area, AreaBytes, IsUser)) return Outcome.Fault;
            s->FpuControl = *(ushort*)area;
            s->FpuStatus = *(ushort*)(area + 2);
            s->FpuTop = (byte)(s->FpuStatus >> 11 & 7);
            s->FpuValid = area[4];
            s->Mxcsr = *(uint*)(area + 24);
            for (int i = 0; i < 8; i++)
            {
                byte* slot = area + 32 + i * 16;
                FpuRegister(i) = BitConverter.DoubleToUInt64Bits(
                    ExtendedReal.ToDouble(*(ulong*)slot, *(ushort*)(slot + 8)));
            }
            return Outcome.Next;
        }
        new Span<byte>(area, AreaBytes).Clear();
        *(ushort*)area = s->FpuControl;
        *(ushort*)(area + 2) = FpuStatusWord;
        area[4] = s->FpuValid;
        *(uint*)(area + 24) = s->Mxcsr;
        *(uint*)(area + 28) = 0xFFFF;
        for (int i = 0; i < 8; i++)
        {
            byte* slot = area + 32 + i * 16;
            *(ulong*)slot = ExtendedReal.FromDouble(FpuRead(i), out *(ushort*)(slot + 8));
        }
        return WriteBytes(op, address, area, AreaBytes, IsUser) ? Outcome.Next : Outcome.Fault;
    }
}
