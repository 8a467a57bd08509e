using Iced.Intel;

namespace Pagoda.Machine.Cpu;

/// <summary>Operands: addresses, loads, stores and the quiet-flags analysis.</summary>
internal sealed unsafe partial class Translator
{
    /// <summary>A memory operand as micro-ops address it.</summary>
    private struct Address
    {
        public byte Base;
        public byte Index;
        public byte Scale;
        public bool HasIndex;
        public int Disp;
    }

    /// <summary>Emits what an operand's address needs beforehand; only Temp1 is used.</summary>
    private Address AddressOf(in Instruction i, bool isWrite = false)
    {
        Address address = OffsetOf(i, out int addressBytes);
        Register segment = i.MemorySegment;
        if (Is64)
        {
            bool hasBase = segment is Register.FS or Register.GS;
            if (addressBytes < 8 || (hasBase && address.HasIndex)) address = Collapse(address, addressBytes);
            if (hasBase) AddIndex(ref address, RegisterFile.SegmentBase(segment));
            return address;
        }
        bool isPlain = IsFlat && segment is not (Register.FS or Register.GS);
        if (isPlain && addressBytes == 4) return address;
        address = Collapse(address, addressBytes);
        if (isPlain) return address;
        MicroOp* check = Group(OpCode.GroupAddress, (byte)AddressOp.CheckSegment, 0);
        check->A = RegisterFile.SegmentNumber(segment);
        check->Base = address.Base;
        check->B = (byte)(isWrite ? 1 : 0);
        check->Imm = OperandBytes(i);
        AddIndex(ref address, RegisterFile.SegmentBase(segment));
        return address;
    }

    /// <summary>The offset part of an address, without its segment.</summary>
    private Address OffsetOf(in Instruction i, out int addressBytes)
    {
        Address address = default;
        Register memoryBase = i.MemoryBase;
        Register memoryIndex = i.MemoryIndex;
        ulong disp = i.MemoryDisplacement64;
        addressBytes = memoryBase != Register.None ? BytesOf(memoryBase)
            : memoryIndex != Register.None ? BytesOf(memoryIndex) : DisplacementBytes(i);
        address.Base = RegisterFile.Zero;
        address.Index = RegisterFile.Zero;
        if (memoryBase is Register.RIP or Register.EIP) address.Base = RegisterFile.RipBase;
        else if (memoryBase != Register.None) address.Base = RegisterFile.Of(memoryBase);
        if (memoryIndex != Register.None)
        {
            address.Index = RegisterFile.Of(memoryIndex);
            if (memoryIndex == Register.AL)
            {
                // XLAT, the one instruction with an index of a byte.
                Emit(OpCode.MovZx8To64, RegisterFile.Temp2, RegisterFile.Rax);
                address.Index = RegisterFile.Temp2;
            }
            address.Scale = (byte)int.Log2(i.MemoryIndexScale);
            address.HasIndex = true;
        }
        if (addressBytes == 8 && (ulong)(int)disp != disp)
        {
            Emit(OpCode.MovRI64, RegisterFile.Temp1, 0)->Wide = disp;
            address.Base = RegisterFile.Temp1;
            disp = 0;
        }
        address.Disp = (int)disp;
        return address;
    }

    /// <summary>Computes an address into Temp1, truncated to its size.</summary>
    private Address Collapse(in Address address, int addressBytes)
    {
        OpCode code = addressBytes switch
        {
            8 => OpCode.LeaIndex64,
            4 => OpCode.LeaIndex32,
            _ => OpCode.Lea16,
        };
        EmitAddress(code, RegisterFile.Temp1, address);
        return new Address { Base = RegisterFile.Temp1, Index = RegisterFile.Zero };
    }

    private static void AddIndex(ref Address address, byte register)
    {
        address.Index = register;
        address.Scale = 0;
        address.HasIndex = true;
    }

    /// <summary>An address without an index, for micro-ops that take none.</summary>
    private Address WithoutIndex(in Address address)
    {
        if (!address.HasIndex) return address;
        EmitAddress(OpCode.LeaIndex64, RegisterFile.Temp1, address);
        return new Address { Base = RegisterFile.Temp1, Index = RegisterFile.Zero };
    }

    private MicroOp* EmitAddress(OpCode code, byte a, in Address address)
    {
        MicroOp* op = Emit(code);
        op->A = a;
        op->Base = address.Base;
        op->Index = address.Index;
        op->Scale = address.Scale;
        op->Disp = address.Disp;
        return op;
    }

    /// <summary>A load; codes that have an indexed form have it in the same order.</summary>
    private void EmitLoad(OpCode code, byte a, in Address address)
    {
        if (!address.HasIndex)
        {
            EmitAddress(code, a, address);
            return;
        }
        OpCode indexed = code switch
        {
            OpCode.Load8 => OpCode.Load8Index,
            OpCode.Load16 => OpCode.Load16Index,
            OpCode.Load32 => OpCode.Load32Index,
            OpCode.Load64 => OpCode.Load64Index,
            OpCode.LoadZx8 => OpCode.LoadZx8Index,
            OpCode.LoadZx16 => OpCode.LoadZx16Index,
            OpCode.LoadSx32To64 => OpCode.LoadSx32To64Index,
            _ => OpCode.Nop,
        };
        if (indexed != OpCode.Nop) EmitAddress(indexed, a, address);
        else EmitAddress(code, a, WithoutIndex(address));
    }

    /// <summary>Loads an operand zero-extended into a temporary.</summary>
    private void EmitLoadTemp(in Instruction i, int sizeLog2, byte temp = RegisterFile.Temp0)
    {
        OpCode code = sizeLog2 switch
        {
            0 => OpCode.LoadZx8,
            1 => OpCode.LoadZx16,
            2 => OpCode.Load32,
            _ => OpCode.Load64,
        };
        EmitLoad(code, temp, AddressOf(i));
    }

    /// <summary>Starts a read-modify-write of a memory operand in Temp0.</summary>
    private void EmitRmwLoad(in Instruction i, int sizeLog2) =>
        EmitAddress(OpCode.RmwLoad8 + sizeLog2, RegisterFile.Temp0, WithoutIndex(AddressOf(i, isWrite: true)));

    /// <summary>Writes a register back where the read-modify-write began.</summary>
    private void EmitRmwStore(int sizeLog2, byte a = RegisterFile.Temp0) =>
        Emit(OpCode.RmwStore8 + sizeLog2, a, 0);

    private MicroOp* Group(OpCode group, byte sub, int sizeLog2)
    {
        MicroOp* op = Emit(group);
        op->Sub = sub;
        op->SizeLog2 = (byte)sizeLog2;
        return op;
    }

    /// <summary>log2 of the bytes of an operand.</summary>
    private static int SizeOf(in Instruction i, int operand = 0)
    {
        OpKind kind = i.GetOpKind(operand);
        if (kind == OpKind.Register) return RegisterFile.SizeLog2(i.GetOpRegister(operand));
        return OperandBytes(i) switch
        {
            1 => 0,
            2 => 1,
            4 => 2,
            _ => 3,
        };
    }

    private static int OperandBytes(in Instruction i)
    {
        int bytes = i.MemorySize.GetSize();
        return bytes == 0 ? 1 : bytes;
    }

    private static int BytesOf(Register register) => register switch
    {
        Register.RIP => 8,
        Register.EIP => 4,
        _ => register.GetSize(),
    };

    private int DisplacementBytes(in Instruction i)
    {
        int bytes = i.MemoryDisplSize;
        return bytes == 2 ? 2 : bytes == 8 ? 8 : Is64 && bytes == 0 ? 8 : 4;
    }

    /// <summary>
    /// Whether every flag that instruction <paramref name="index"/> sets is overwritten before anything reads flags,
    /// can fault, or leaves the block.
    /// </summary>
    private bool FlagsAreDead(int index)
    {
        const RflagsBits All = RflagsBits.OF | RflagsBits.SF | RflagsBits.ZF | RflagsBits.AF | RflagsBits.CF
            | RflagsBits.PF;
        for (int j = index + 1; j < _count; j++)
        {
            ref readonly Instruction next = ref _instructions[j];
            if (IsPlainJump(next)) continue;
            if (!IsSimple(next) || (next.RflagsRead & All) != 0) return false;
            if ((next.RflagsModified & All) == All) return !IsShift(next.Mnemonic) || ShiftCount(next) != 0;
            if ((next.RflagsModified & All) != 0) return false;
        }
        return false;
    }

    private bool IsPlainJump(in Instruction i) => i.FlowControl == FlowControl.UnconditionalBranch
        && i.Op0Kind is OpKind.NearBranch32 or OpKind.NearBranch64;

    /// <summary>Touches registers only and cannot fault.</summary>
    private static bool IsSimple(in Instruction i)
    {
        switch (i.Mnemonic)
        {
            case Mnemonic.Lea:
                return true;
            case Mnemonic.Mov:
                if (i.Op0Register.IsSegmentRegister() || i.Op1Register.IsSegmentRegister()) return false;
                if (i.Op0Register.IsCR() || i.Op1Register.IsCR() || i.Op0Register.IsDR() || i.Op1Register.IsDR())
                {
                    return false;
                }
                break;
            case Mnemonic.Add or Mnemonic.Sub or Mnemonic.And or Mnemonic.Or or Mnemonic.Xor or Mnemonic.Cmp
                or Mnemonic.Test or Mnemonic.Movzx or Mnemonic.Movsx or Mnemonic.Movsxd or Mnemonic.Inc or Mnemonic.Dec
                or Mnemonic.Not or Mnemonic.Neg:
                break;
            case Mnemonic.Shl or Mnemonic.Shr or Mnemonic.Sar or Mnemonic.Rol or Mnemonic.Ror:
                if (i.Op1Kind == OpKind.Register) return false;
                break;
            default:
                return false;
        }
        return i.Op0Kind != OpKind.Memory && (i.OpCount < 2 || i.Op1Kind != OpKind.Memory);
    }

    private static bool IsShift(Mnemonic mnemonic) => mnemonic is Mnemonic.Shl or Mnemonic.Shr or Mnemonic.Sar;

    private static int ShiftCount(in Instruction i) =>
        i.Immediate8 & (SizeOf(i) == 3 ? 63 : 31);
}
