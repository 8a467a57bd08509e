using Iced.Intel;

namespace Pagoda.Machine.Cpu;

/// <summary>x87 operations; the stack holds double precision.</summary>
internal enum FpuOp : byte
{
    LoadReal,
    LoadInteger,
    LoadRegister,
    StoreReal,
    StoreInteger,
    StoreIntegerTruncated,
    StoreRegister,
    Add,
    Mul,
    Sub,
    SubReversed,
    Div,
    DivReversed,
    Compare,
    CompareFlags,
    Exchange,
    ChangeSign,
    Absolute,
    Test,
    Examine,
    Constant,
    SquareRoot,
    Round,
    Scale,
    Remainder,
    Initialize,
    ClearExceptions,
    LoadControl,
    StoreControl,
    StoreStatus,
    StoreStatusAx,
    Free,
    DecrementTop,
    IncrementTop,
    Nop,
    Wait,
    ConditionalMove,
    LoadState,
    SaveState,
}

/// <summary>x87 instructions: all calls, with the operand's address in the micro-op.</summary>
internal sealed unsafe partial class Translator
{
    private const int Pops = 1;
    private const int PopsTwice = 2;

    private bool TryX87(in Instruction i)
    {
        switch (i.Mnemonic)
        {
            case Mnemonic.Fld:
                return i.Op0Kind == OpKind.Memory ? Float(FpuOp.LoadReal, i) : FloatStack(FpuOp.LoadRegister, i);
            case Mnemonic.Fild:
                return Float(FpuOp.LoadInteger, i);
            case Mnemonic.Fst:
                return i.Op0Kind == OpKind.Memory ? Float(FpuOp.StoreReal, i) : FloatStack(FpuOp.StoreRegister, i);
            case Mnemonic.Fstp:
                return i.Op0Kind == OpKind.Memory ? Float(FpuOp.StoreReal, i, Pops)
                    : FloatStack(FpuOp.StoreRegister, i, Pops);
            case Mnemonic.Fist:
                return Float(FpuOp.StoreInteger, i);
            case Mnemonic.Fistp:
                return Float(FpuOp.StoreInteger, i, Pops);
            case Mnemonic.Fisttp:
                return Float(FpuOp.StoreIntegerTruncated, i, Pops);
            case Mnemonic.Fxch:
                return FloatStack(FpuOp.Exchange, i);
            case Mnemonic.Fldz:
                return FloatConstant(0);
            case Mnemonic.Fld1:
                return FloatConstant(1);
            case Mnemonic.Fldpi:
                return FloatConstant(2);
            case Mnemonic.Fldl2e:
                return FloatConstant(3);
            case Mnemonic.Fldl2t:
                return FloatConstant(4);
            case Mnemonic.Fldlg2:
                return FloatConstant(5);
            case Mnemonic.Fldln2:
                return FloatConstant(6);
            default:
                return TryX87Arithmetic(i) || TryX87Control(i);
        }
    }

    private bool TryX87Arithmetic(in Instruction i)
    {
        switch (i.Mnemonic)
        {
            case Mnemonic.Fadd or Mnemonic.Faddp or Mnemonic.Fiadd:
                return FloatArithmetic(FpuOp.Add, i);
            case Mnemonic.Fmul or Mnemonic.Fmulp or Mnemonic.Fimul:
                return FloatArithmetic(FpuOp.Mul, i);
            case Mnemonic.Fsub or Mnemonic.Fsubp or Mnemonic.Fisub:
                return FloatArithmetic(FpuOp.Sub, i);
            case Mnemonic.Fsubr or Mnemonic.Fsubrp or Mnemonic.Fisubr:
                return FloatArithmetic(FpuOp.SubReversed, i);
            case Mnemonic.Fdiv or Mnemonic.Fdivp or Mnemonic.Fidiv:
                return FloatArithmetic(FpuOp.Div, i);
            case Mnemonic.Fdivr or Mnemonic.Fdivrp or Mnemonic.Fidivr:
                return FloatArithmetic(FpuOp.DivReversed, i);
            case Mnemonic.Fcom or Mnemonic.Fucom or Mnemonic.Ficom:
                return FloatCompare(i, 0);
            case Mnemonic.Fcomp or Mnemonic.Fucomp or Mnemonic.Ficomp:
                return FloatCompare(i, Pops);
            case Mnemonic.Fcompp or Mnemonic.Fucompp:
                return FloatStack(FpuOp.Compare, 1, PopsTwice);
            case Mnemonic.Fcomi or Mnemonic.Fucomi:
                Know(KnownFlags.Unknown, 0);
                return FloatStack(FpuOp.CompareFlags, i);
            case Mnemonic.Fcomip or Mnemonic.Fucomip:
                Know(KnownFlags.Unknown, 0);
                return FloatStack(FpuOp.CompareFlags, i, Pops);
            case Mnemonic.Fchs:
                return FloatStack(FpuOp.ChangeSign, 0);
            case Mnemonic.Fabs:
                return FloatStack(FpuOp.Absolute, 0);
            case Mnemonic.Ftst:
                return FloatStack(FpuOp.Test, 0);
            case Mnemonic.Fxam:
                return FloatStack(FpuOp.Examine, 0);
            case Mnemonic.Fsqrt:
                return FloatStack(FpuOp.SquareRoot, 0);
            case Mnemonic.Frndint:
                return FloatStack(FpuOp.Round, 0);
            case Mnemonic.Fscale:
                return FloatStack(FpuOp.Scale, 0);
            case Mnemonic.Fprem or Mnemonic.Fprem1:
                FloatStack(FpuOp.Remainder, i.Mnemonic == Mnemonic.Fprem ? 0 : 1);
                return true;
            case Mnemonic.Fcmovb or Mnemonic.Fcmove or Mnemonic.Fcmovbe or Mnemonic.Fcmovu or Mnemonic.Fcmovnb
                or Mnemonic.Fcmovne or Mnemonic.Fcmovnbe or Mnemonic.Fcmovnu:
                return FloatMove(i);
            default:
                return false;
        }
    }

    private bool TryX87Control(in Instruction i)
    {
        switch (i.Mnemonic)
        {
            case Mnemonic.Fninit or Mnemonic.Finit:
                return FloatStack(FpuOp.Initialize, 0);
            case Mnemonic.Fnclex or Mnemonic.Fclex:
                return FloatStack(FpuOp.ClearExceptions, 0);
            case Mnemonic.Fldcw:
                return Float(FpuOp.LoadControl, i);
            case Mnemonic.Fnstcw or Mnemonic.Fstcw:
                return Float(FpuOp.StoreControl, i);
            case Mnemonic.Fnstsw or Mnemonic.Fstsw:
                return i.Op0Kind == OpKind.Memory ? Float(FpuOp.StoreStatus, i) : FloatStack(FpuOp.StoreStatusAx, 0);
            case Mnemonic.Ffree:
                return FloatStack(FpuOp.Free, i);
            case Mnemonic.Fdecstp:
                return FloatStack(FpuOp.DecrementTop, 0);
            case Mnemonic.Fincstp:
                return FloatStack(FpuOp.IncrementTop, 0);
            case Mnemonic.Fnop:
                return FloatStack(FpuOp.Nop, 0);
            case Mnemonic.Wait:
                return FloatStack(FpuOp.Wait, 0);
            case Mnemonic.Fxsave or Mnemonic.Fxsave64:
                return Float(FpuOp.SaveState, i);
            case Mnemonic.Fxrstor or Mnemonic.Fxrstor64:
                return Float(FpuOp.LoadState, i);
            default:
                return false;
        }
    }

    /// <summary>A memory operand: its address goes into the micro-op, its size beside it.</summary>
    private bool Float(FpuOp operation, in Instruction i, int pops = 0)
    {
        int bytes = i.MemorySize.GetSize();
        if (i.MemorySize is MemorySize.Float80 or MemorySize.Bcd) return FloatExtended(operation, i, pops);
        Address address = WithoutIndex(AddressOf(i));
        MicroOp* op = Group(OpCode.GroupX87, (byte)operation, bytes > 8 ? 4 : int.Log2(bytes));
        op->Base = address.Base;
        op->Disp = address.Disp;
        op->Imm = pops;
        op->A = IsIntegerOperand(i) ? (byte)1 : (byte)0;
        return true;
    }

    /// <summary>Eighty-bit reals are converted to and from double precision; packed decimals are not known.</summary>
    private bool FloatExtended(FpuOp operation, in Instruction i, int pops)
    {
        if (i.MemorySize == MemorySize.Bcd) return false;
        Address address = WithoutIndex(AddressOf(i));
        MicroOp* op = Group(OpCode.GroupX87, (byte)operation, ExtendedSize);
        op->Base = address.Base;
        op->Disp = address.Disp;
        op->Imm = pops;
        return true;
    }

    /// <summary>The size code of an eighty-bit real.</summary>
    internal const int ExtendedSize = 5;

    private static bool IsIntegerOperand(in Instruction i) => i.MemorySize is MemorySize.Int16 or MemorySize.Int32
        or MemorySize.Int64;

    private bool FloatStack(FpuOp operation, in Instruction i, int pops = 0)
    {
        Register register = i.OpCount == 2 ? i.Op1Register : i.Op0Register;
        return FloatStack(operation, register - Register.ST0, pops);
    }

    private bool FloatStack(FpuOp operation, int register, int pops = 0)
    {
        MicroOp* op = Group(OpCode.GroupX87, (byte)operation, RegisterOperand);
        op->B = (byte)register;
        op->Imm = pops;
        return true;
    }

    /// <summary>The size code of a stack operand.</summary>
    internal const int RegisterOperand = 7;

    private bool FloatArithmetic(FpuOp operation, in Instruction i)
    {
        if (i.Op0Kind == OpKind.Memory) return Float(operation, i);
        bool pops = i.Mnemonic is Mnemonic.Faddp or Mnemonic.Fmulp or Mnemonic.Fsubp or Mnemonic.Fsubrp
            or Mnemonic.Fdivp or Mnemonic.Fdivrp;
        // With ST(i) as destination, ST(0) is the source: A says so.
        bool toOther = i.Op0Register != Register.ST0 || pops;
        int other = toOther ? i.Op0Register - Register.ST0 : i.Op1Register - Register.ST0;
        FloatStack(operation, other, pops ? Pops : 0);
        _last->A = toOther ? (byte)1 : (byte)0;
        return true;
    }

    private bool FloatCompare(in Instruction i, int pops)
    {
        if (i.Op0Kind == OpKind.Memory) return Float(FpuOp.Compare, i, pops);
        return FloatStack(FpuOp.Compare, i, pops);
    }

    private bool FloatConstant(int which) => FloatStack(FpuOp.Constant, which);

    private bool FloatMove(in Instruction i)
    {
        int condition = i.Mnemonic switch
        {
            Mnemonic.Fcmovb => 2,
            Mnemonic.Fcmovnb => 3,
            Mnemonic.Fcmove => 4,
            Mnemonic.Fcmovne => 5,
            Mnemonic.Fcmovbe => 6,
            Mnemonic.Fcmovnbe => 7,
            Mnemonic.Fcmovu => 10,
            _ => 11,
        };
        FloatStack(FpuOp.ConditionalMove, i);
        _last->A = (byte)condition;
        return true;
    }
}
