using Iced.Intel;

namespace Pagoda.Machine.Cpu;

/// <summary>Stack and string instructions.</summary>
internal sealed unsafe partial class Translator
{
    private bool TryStack(in Instruction i)
    {
        switch (i.Mnemonic)
        {
            case Mnemonic.Push:
                return Push(i);
            case Mnemonic.Pop:
                return Pop(i);
            case Mnemonic.Leave:
                return Leave(i);
            case Mnemonic.Enter:
                MicroOp* enter = Group(OpCode.GroupStack, (byte)StackOp.Enter, EnterSize(i.Code));
                enter->Imm = i.Immediate16;
                enter->Disp = i.Immediate8_2nd & 31;
                return true;
            case Mnemonic.Pusha or Mnemonic.Pushad:
                Group(OpCode.GroupStack, (byte)StackOp.PushAll, i.Mnemonic == Mnemonic.Pusha ? 1 : 2);
                return true;
            case Mnemonic.Popa or Mnemonic.Popad:
                Group(OpCode.GroupStack, (byte)StackOp.PopAll, i.Mnemonic == Mnemonic.Popa ? 1 : 2);
                return true;
            case Mnemonic.Pushf or Mnemonic.Pushfd or Mnemonic.Pushfq:
                Group(OpCode.GroupStack, (byte)StackOp.PushFlags, FlagsSize(i.Mnemonic));
                return true;
            case Mnemonic.Popf or Mnemonic.Popfd or Mnemonic.Popfq:
                Group(OpCode.GroupStack, (byte)StackOp.PopFlags, FlagsSize(i.Mnemonic));
                Know(KnownFlags.Unknown, 0);
                return true;
            case Mnemonic.Call:
                return SlowCall(i);
            case Mnemonic.Ret:
                MicroOp* op = Group(OpCode.GroupStack, (byte)StackOp.ReturnNear, ReturnSize(i.Code));
                op->Imm = i.OpCount == 1 ? i.Immediate16 : 0;
                _ended = true;
                return true;
            default:
                return false;
        }
    }

    private bool Push(in Instruction i)
    {
        int size = StackSize(i);
        byte a = RegisterFile.Temp0;
        if (i.Op0Kind == OpKind.Memory) EmitLoadTemp(i, size);
        else if (i.Op0Kind != OpKind.Register)
        {
            if (Is64 && size == 3)
            {
                Emit(OpCode.PushImm64, 0, 0, (int)i.GetImmediate(0));
                return true;
            }
            Emit(OpCode.MovRI64, a, 0)->Wide = i.GetImmediate(0);
        }
        else if (i.Op0Register.IsSegmentRegister()) EmitReadSegment(i.Op0Register, a);
        else a = RegisterFile.Of(i.Op0Register);
        EmitPush(a, size);
        return true;
    }

    private void EmitPush(byte a, int size)
    {
        if (Is64 && size == 3) Emit(OpCode.Push64, a, 0);
        else if (!Is64 && HasWideStack && size == 2) Emit(OpCode.Push32, a, 0);
        else Group(OpCode.GroupStack, (byte)StackOp.Push, size)->A = a;
    }

    private void EmitPop(byte a, int size)
    {
        if (Is64 && size == 3) Emit(OpCode.Pop64, a, 0);
        else if (!Is64 && HasWideStack && size == 2) Emit(OpCode.Pop32, a, 0);
        else Group(OpCode.GroupStack, (byte)StackOp.Pop, size)->A = a;
    }

    private bool Pop(in Instruction i)
    {
        int size = StackSize(i);
        if (i.Op0Kind == OpKind.Register)
        {
            if (!i.Op0Register.IsSegmentRegister())
            {
                EmitPop(RegisterFile.Of(i.Op0Register), size);
                return true;
            }
            MicroOp* op = Group(OpCode.GroupControl, (byte)ControlOp.LoadSegment, size);
            op->A = RegisterFile.SegmentNumber(i.Op0Register);
            op->B = RegisterFile.Zero;
            op->Imm = 1;
            _ended = true;
            EndAfterThis();
            return true;
        }
        // The value is read, the operand's address uses the popped stack pointer, and that moves last.
        int bytes = 1 << size;
        var top = new Address { Base = RegisterFile.Rsp, Index = RegisterFile.Zero };
        if (HasWideStack) EmitLoad(OpCode.Load8 + size, RegisterFile.Temp0, top);
        else Group(OpCode.GroupStack, (byte)StackOp.Peek, size)->A = RegisterFile.Temp0;
        Address address = AddressOf(i, isWrite: true);
        if (i.MemoryBase is Register.RSP or Register.ESP) address.Disp += bytes;
        EmitAddress((address.HasIndex ? OpCode.Store8Index : OpCode.Store8) + size, RegisterFile.Temp0, address);
        if (!HasWideStack)
        {
            Group(OpCode.GroupStack, (byte)StackOp.Drop, size);
            return true;
        }
        top.Disp = bytes;
        EmitLea(RegisterFile.Rsp, Is64, top);
        return true;
    }

    private bool Leave(in Instruction i)
    {
        int size = i.Code == Code.Leavew ? 1 : i.Code == Code.Leaved ? 2 : 3;
        if (!HasWideStack || size != (Is64 ? 3 : 2))
        {
            Group(OpCode.GroupStack, (byte)StackOp.Leave, size);
            return true;
        }
        var frame = new Address { Base = RegisterFile.Rbp, Index = RegisterFile.Zero };
        EmitLoad(OpCode.Load8 + size, RegisterFile.Temp0, frame);
        frame.Disp = 1 << size;
        EmitLea(RegisterFile.Rsp, Is64, frame);
        Emit(OpCode.MovRR64, RegisterFile.Rbp, RegisterFile.Temp0);
        return true;
    }

    private bool SlowCall(in Instruction i)
    {
        if (i.Op0Kind is OpKind.FarBranch16 or OpKind.FarBranch32 || IsFarPointer(i)) return TryControl(i);
        int size = i.Op0Kind == OpKind.NearBranch16 ? 1 : i.Op0Kind == OpKind.NearBranch32 ? 2
            : i.Op0Kind == OpKind.NearBranch64 ? 3 : SizeOf(i);
        byte a = RegisterFile.Temp0;
        if (i.Op0Kind == OpKind.Memory) EmitLoadTemp(i, size);
        else if (i.Op0Kind == OpKind.Register) a = RegisterFile.Of(i.Op0Register);
        else EmitAddress(OpCode.Lea64, a, new Address { Base = RegisterFile.RipBase, Disp = (int)i.NearBranchTarget });
        MicroOp* op = Group(OpCode.GroupStack, (byte)StackOp.CallNear, size);
        op->A = a;
        op->Disp = ReturnOffset(i);
        _ended = true;
        return true;
    }

    private bool TryString(in Instruction i)
    {
        int operation = i.Mnemonic switch
        {
            Mnemonic.Movsb or Mnemonic.Movsw or Mnemonic.Movsd or Mnemonic.Movsq => (int)StringOp.Move,
            Mnemonic.Stosb or Mnemonic.Stosw or Mnemonic.Stosd or Mnemonic.Stosq => (int)StringOp.Store,
            Mnemonic.Lodsb or Mnemonic.Lodsw or Mnemonic.Lodsd or Mnemonic.Lodsq => (int)StringOp.Load,
            Mnemonic.Cmpsb or Mnemonic.Cmpsw or Mnemonic.Cmpsd or Mnemonic.Cmpsq => (int)StringOp.Compare,
            Mnemonic.Scasb or Mnemonic.Scasw or Mnemonic.Scasd or Mnemonic.Scasq => (int)StringOp.Scan,
            Mnemonic.Insb or Mnemonic.Insw or Mnemonic.Insd => (int)StringOp.Input,
            Mnemonic.Outsb or Mnemonic.Outsw or Mnemonic.Outsd => (int)StringOp.Output,
            _ => -1,
        };
        if (operation < 0 || !i.IsStringInstruction) return false;
        MicroOp* op = Group(OpCode.GroupString, (byte)operation, SizeOfString(i));
        Register segment = i.SegmentPrefix == Register.None ? Register.DS : i.SegmentPrefix;
        if (Is64 && segment is not (Register.FS or Register.GS)) op->A = NoSegment;
        else op->A = RegisterFile.SegmentNumber(segment);
        op->B = (byte)(i.HasRepnePrefix ? 2 : i.HasRepePrefix || i.HasRepPrefix ? 1 : 0);
        op->Imm = StringAddressBytes(i);
        Know(KnownFlags.Unknown, 0);
        return true;
    }

    /// <summary>A segment number that means no segment at all.</summary>
    internal const byte NoSegment = 7;

    private static int SizeOfString(in Instruction i) => i.MemorySize.GetSize() switch
    {
        1 => 0,
        2 => 1,
        4 => 2,
        _ => 3,
    };

    private static int StringAddressBytes(in Instruction i)
    {
        for (int operand = 0; operand < i.OpCount; operand++)
        {
            switch (i.GetOpKind(operand))
            {
                case OpKind.MemorySegSI or OpKind.MemoryESDI or OpKind.MemorySegDI:
                    return 2;
                case OpKind.MemorySegESI or OpKind.MemoryESEDI or OpKind.MemorySegEDI:
                    return 4;
                case OpKind.MemorySegRSI or OpKind.MemoryESRDI or OpKind.MemorySegRDI:
                    return 8;
            }
        }
        return 4;
    }

    private void EmitReadSegment(Register segment, byte a)
    {
        MicroOp* op = Group(OpCode.GroupControl, (byte)ControlOp.ReadSegment, 3);
        op->A = a;
        op->B = RegisterFile.SegmentNumber(segment);
    }

    /// <summary>This instruction may have changed the mode: what was decoded behind it is dropped.</summary>
    private void EndAfterThis()
    {
        _count = _index + 1;
        _ended = true;
    }

    private int StackSize(in Instruction i)
    {
        Code code = i.Code;
        if (i.Op0Kind is OpKind.Immediate8to16 or OpKind.Immediate16) return 1;
        if (i.Op0Kind is OpKind.Immediate8to32 or OpKind.Immediate32) return 2;
        if (i.Op0Kind is OpKind.Immediate8to64 or OpKind.Immediate32to64) return 3;
        if (i.Op0Kind == OpKind.Register && i.Op0Register.IsSegmentRegister()) return SegmentPushSize(code);
        return SizeOf(i);
    }

    private int SegmentPushSize(Code code)
    {
        bool isNarrow = code is Code.Pushw_CS or Code.Pushw_DS or Code.Pushw_ES or Code.Pushw_FS or Code.Pushw_GS
            or Code.Pushw_SS or Code.Popw_DS or Code.Popw_ES or Code.Popw_FS or Code.Popw_GS or Code.Popw_SS;
        return isNarrow ? 1 : Is64 ? 3 : 2;
    }

    private static int FlagsSize(Mnemonic mnemonic) => mnemonic switch
    {
        Mnemonic.Pushf or Mnemonic.Popf => 1,
        Mnemonic.Pushfd or Mnemonic.Popfd => 2,
        _ => 3,
    };

    private static int EnterSize(Code code) =>
        code == Code.Enterw_imm16_imm8 ? 1 : code == Code.Enterd_imm16_imm8 ? 2 : 3;

    private static int ReturnSize(Code code) =>
        code is Code.Retnw or Code.Retnw_imm16 ? 1 : code is Code.Retnd or Code.Retnd_imm16 ? 2 : 3;
}
