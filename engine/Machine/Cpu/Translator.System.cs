using Iced.Intel;

namespace Pagoda.Machine.Cpu;

/// <summary>Far transfers, segment registers and system instructions: all of them calls.</summary>
internal sealed unsafe partial class Translator
{
    private bool TrySystem(in Instruction i)
    {
        switch (i.Mnemonic)
        {
            case Mnemonic.Mov:
                return TrySystemMove(i);
            case Mnemonic.In:
                return System(SystemOp.In, RegisterFile.SizeLog2(i.Op0Register), PortOf(i, 1), PortConstant(i, 1));
            case Mnemonic.Out:
                return System(SystemOp.Out, RegisterFile.SizeLog2(i.Op1Register), PortOf(i, 0), PortConstant(i, 0));
            case Mnemonic.Cpuid:
                return System(SystemOp.Cpuid);
            case Mnemonic.Rdtsc:
                return System(SystemOp.ReadTsc);
            case Mnemonic.Rdtscp:
                return System(SystemOp.ReadTscAndId);
            case Mnemonic.Rdmsr:
                return System(SystemOp.ReadMsr);
            case Mnemonic.Wrmsr:
                return Barrier(SystemOp.WriteMsr);
            case Mnemonic.Pause:
                return System(SystemOp.Pause);
            case Mnemonic.Lfence or Mnemonic.Mfence or Mnemonic.Sfence:
                return System(SystemOp.Fence);
            case Mnemonic.Wbinvd or Mnemonic.Invd or Mnemonic.Wbnoinvd:
                return System(SystemOp.InvalidateCaches);
            case Mnemonic.Clflush or Mnemonic.Clflushopt or Mnemonic.Clwb:
                return WithMemory(SystemOp.FlushLine, i, 0);
            case Mnemonic.Invlpg:
                return WithMemory(SystemOp.InvalidatePage, i, 0, isBarrier: true);
            case Mnemonic.Clts:
                return Barrier(SystemOp.ClearTaskSwitched);
            case Mnemonic.Swapgs:
                return Barrier(SystemOp.SwapGs);
            case Mnemonic.Lgdt:
                return WithMemory(SystemOp.LoadGdt, i, TableSize(i));
            case Mnemonic.Lidt:
                return WithMemory(SystemOp.LoadIdt, i, TableSize(i));
            case Mnemonic.Sgdt:
                return WithMemory(SystemOp.StoreGdt, i, TableSize(i));
            case Mnemonic.Sidt:
                return WithMemory(SystemOp.StoreIdt, i, TableSize(i));
            default:
                return TrySelector(i) || TryControl(i);
        }
    }

    private bool TrySelector(in Instruction i)
    {
        switch (i.Mnemonic)
        {
            case Mnemonic.Lldt:
                return FromSelector(SystemOp.LoadLdt, i);
            case Mnemonic.Ltr:
                return FromSelector(SystemOp.LoadTask, i);
            case Mnemonic.Verr:
                return FromSelector(SystemOp.VerifyRead, i);
            case Mnemonic.Verw:
                return FromSelector(SystemOp.VerifyWrite, i);
            case Mnemonic.Lmsw:
                return FromSelector(SystemOp.LoadMachineStatus, i, isBarrier: true);
            case Mnemonic.Sldt:
                return ToOperand(SystemOp.StoreLdt, i);
            case Mnemonic.Str:
                return ToOperand(SystemOp.StoreTask, i);
            case Mnemonic.Smsw:
                return ToOperand(SystemOp.StoreMachineStatus, i);
            case Mnemonic.Arpl:
                bool isMemory = i.Op0Kind == OpKind.Memory;
                if (isMemory) EmitRmwLoad(i, 1);
                MicroOp* adjust = Group(OpCode.GroupSystem, (byte)SystemOp.AdjustPrivilege, 1);
                adjust->A = isMemory ? RegisterFile.Temp0 : RegisterFile.Of(i.Op0Register);
                adjust->B = RegisterFile.Of(i.Op1Register);
                Know(KnownFlags.Unknown, 0);
                if (isMemory) EmitRmwStore(1);
                return true;
            case Mnemonic.Lar or Mnemonic.Lsl:
                byte b = RegisterFile.Temp0;
                if (i.Op1Kind == OpKind.Memory) EmitLoadTemp(i, 1);
                else b = RegisterFile.Of(i.Op1Register);
                MicroOp* op = Group(OpCode.GroupSystem,
                    (byte)(i.Mnemonic == Mnemonic.Lar ? SystemOp.LoadRights : SystemOp.LoadLimit), SizeOf(i));
                op->A = RegisterFile.Of(i.Op0Register);
                op->B = b;
                Know(KnownFlags.Unknown, 0);
                return true;
            default:
                return false;
        }
    }

    private bool TrySystemMove(in Instruction i)
    {
        Register to = i.Op0Register;
        Register from = i.Op1Register;
        if (from.IsSegmentRegister())
        {
            bool isMemory = i.Op0Kind == OpKind.Memory;
            EmitReadSegment(from, RegisterFile.Temp0);
            if (isMemory) StoreRegister(i, RegisterFile.Temp0, 1);
            else Emit(OpCode.MovRR8 + RegisterFile.SizeLog2(to), RegisterFile.Of(to), RegisterFile.Temp0);
            return true;
        }
        if (i.Op0Kind == OpKind.Register && to.IsSegmentRegister())
        {
            byte b = RegisterFile.Temp0;
            if (i.Op1Kind == OpKind.Memory) EmitLoadTemp(i, 1);
            else b = RegisterFile.Of(from);
            MicroOp* load = Group(OpCode.GroupControl, (byte)ControlOp.LoadSegment, 1);
            load->A = RegisterFile.SegmentNumber(to);
            load->B = b;
            EndAfterThis();
            return true;
        }
        if (from.IsCR()) return RegisterMove(SystemOp.ReadControl, to, from - Register.CR0);
        if (from.IsDR()) return RegisterMove(SystemOp.ReadDebug, to, from - Register.DR0);
        if (to.IsDR()) return RegisterMove(SystemOp.WriteDebug, from, to - Register.DR0);
        if (!to.IsCR()) return false;
        RegisterMove(SystemOp.WriteControl, from, to - Register.CR0);
        EndAfterThis();
        return true;
    }

    private bool RegisterMove(SystemOp operation, Register general, int number)
    {
        MicroOp* op = Group(OpCode.GroupSystem, (byte)operation, Is64 ? 3 : 2);
        op->A = RegisterFile.Of(general);
        op->Imm = number;
        return true;
    }

    private bool TryControl(in Instruction i)
    {
        switch (i.Mnemonic)
        {
            case Mnemonic.Hlt:
                return End(ControlOp.Halt);
            case Mnemonic.Cli:
                Group(OpCode.GroupControl, (byte)ControlOp.ClearInterrupts, 0);
                return true;
            case Mnemonic.Sti:
                return End(ControlOp.SetInterrupts);
            case Mnemonic.Int:
                return End(ControlOp.Interrupt, 0, i.Immediate8);
            case Mnemonic.Int3:
                return End(ControlOp.Breakpoint);
            case Mnemonic.Into:
                return End(ControlOp.InterruptOverflow);
            case Mnemonic.Int1:
                return End(ControlOp.DebugTrap);
            case Mnemonic.Bound:
                return Bound(i);
            case Mnemonic.Ud0 or Mnemonic.Ud1 or Mnemonic.Ud2 or Mnemonic.INVALID:
                return End(ControlOp.Undefined);
            case Mnemonic.Iret or Mnemonic.Iretd or Mnemonic.Iretq:
                return End(ControlOp.InterruptReturn,
                    i.Mnemonic == Mnemonic.Iret ? 1 : i.Mnemonic == Mnemonic.Iretd ? 2 : 3);
            case Mnemonic.Retf:
                int size = i.Code is Code.Retfw or Code.Retfw_imm16 ? 1
                    : i.Code is Code.Retfd or Code.Retfd_imm16 ? 2 : 3;
                return End(ControlOp.ReturnFar, size, i.OpCount == 1 ? i.Immediate16 : 0);
            case Mnemonic.Jmp or Mnemonic.Call:
                return TryFar(i);
            case Mnemonic.Lds or Mnemonic.Les or Mnemonic.Lfs or Mnemonic.Lgs or Mnemonic.Lss:
                return LoadPointer(i);
            default:
                return false;
        }
    }

    private bool Bound(in Instruction i)
    {
        int size = RegisterFile.SizeLog2(i.Op0Register);
        OpCode load = size == 1 ? OpCode.LoadZx16 : OpCode.Load32;
        Address address = WithoutIndex(AddressOf(i));
        EmitLoad(load, RegisterFile.Temp0, address);
        address.Disp += 1 << size;
        EmitLoad(load, RegisterFile.Temp2, address);
        Group(OpCode.GroupControl, (byte)ControlOp.CheckBounds, size)->A = RegisterFile.Of(i.Op0Register);
        return true;
    }

    private bool TryFar(in Instruction i)
    {
        ControlOp operation = i.Mnemonic == Mnemonic.Jmp ? ControlOp.JumpFar : ControlOp.CallFar;
        MicroOp* op;
        if (i.Op0Kind is OpKind.FarBranch16 or OpKind.FarBranch32)
        {
            bool is16 = i.Op0Kind == OpKind.FarBranch16;
            Emit(OpCode.MovRI64, RegisterFile.Temp0, 0)->Wide = is16 ? i.FarBranch16 : i.FarBranch32;
            Emit(OpCode.MovRI64, RegisterFile.Temp2, 0)->Wide = i.FarBranchSelector;
            op = Group(OpCode.GroupControl, (byte)operation, is16 ? 1 : 2);
        }
        else if (IsFarPointer(i))
        {
            int size = FarSize(i);
            EmitFarLoads(i, size);
            op = Group(OpCode.GroupControl, (byte)operation, size);
        }
        else
        {
            // A near jump of another width than the mode's.
            int size = i.Op0Kind == OpKind.NearBranch16 ? 1 : i.Op0Kind == OpKind.NearBranch32 ? 2 : SizeOf(i);
            byte a = RegisterFile.Temp0;
            if (i.Op0Kind == OpKind.Memory) EmitLoadTemp(i, size);
            else if (i.Op0Kind == OpKind.Register) a = RegisterFile.Of(i.Op0Register);
            else
            {
                EmitAddress(OpCode.Lea64, a,
                    new Address { Base = RegisterFile.RipBase, Disp = (int)i.NearBranchTarget });
            }
            op = Group(OpCode.GroupControl, (byte)ControlOp.JumpNear, size);
            op->A = a;
        }
        _ended = true;
        return true;
    }

    private static int FarSize(in Instruction i) => i.MemorySize switch
    {
        MemorySize.SegPtr16 => 1,
        MemorySize.SegPtr32 => 2,
        _ => 3,
    };

    /// <summary>Brings a far pointer from memory: offset into Temp0, selector into Temp2.</summary>
    private void EmitFarLoads(in Instruction i, int size)
    {
        Address address = WithoutIndex(AddressOf(i));
        EmitLoad(size == 1 ? OpCode.LoadZx16 : size == 2 ? OpCode.Load32 : OpCode.Load64, RegisterFile.Temp0, address);
        address.Disp += 1 << size;
        EmitLoad(OpCode.LoadZx16, RegisterFile.Temp2, address);
    }

    private bool LoadPointer(in Instruction i)
    {
        int size = FarSize(i);
        EmitFarLoads(i, size);
        MicroOp* op = Group(OpCode.GroupControl, (byte)ControlOp.LoadPointer, size);
        op->A = RegisterFile.Of(i.Op0Register);
        op->B = i.Mnemonic switch
        {
            Mnemonic.Les => 0,
            Mnemonic.Lss => 2,
            Mnemonic.Lds => 3,
            Mnemonic.Lfs => 4,
            _ => 5,
        };
        EndAfterThis();
        return true;
    }

    private bool System(SystemOp operation, int size = 0, byte b = 0, int imm = 0)
    {
        MicroOp* op = Group(OpCode.GroupSystem, (byte)operation, size);
        op->B = b;
        op->Imm = imm;
        return true;
    }

    private bool Barrier(SystemOp operation)
    {
        System(operation);
        EndAfterThis();
        return true;
    }

    private bool End(ControlOp operation, int size = 0, int imm = 0)
    {
        Group(OpCode.GroupControl, (byte)operation, size)->Imm = imm;
        EndAfterThis();
        return true;
    }

    private bool WithMemory(SystemOp operation, in Instruction i, int size, bool isBarrier = false)
    {
        Address address = WithoutIndex(AddressOf(i));
        MicroOp* op = Group(OpCode.GroupSystem, (byte)operation, size);
        op->Base = address.Base;
        op->Disp = address.Disp;
        if (isBarrier) EndAfterThis();
        return true;
    }

    private bool FromSelector(SystemOp operation, in Instruction i, bool isBarrier = false)
    {
        byte b = RegisterFile.Temp0;
        if (i.Op0Kind == OpKind.Memory) EmitLoadTemp(i, 1);
        else b = RegisterFile.Of(i.Op0Register);
        System(operation, 1, b);
        Know(KnownFlags.Unknown, 0);
        if (isBarrier) EndAfterThis();
        return true;
    }

    private bool ToOperand(SystemOp operation, in Instruction i)
    {
        bool isMemory = i.Op0Kind == OpKind.Memory;
        Group(OpCode.GroupSystem, (byte)operation, 3)->A = RegisterFile.Temp0;
        if (isMemory) StoreRegister(i, RegisterFile.Temp0, 1);
        else Emit(OpCode.MovRR8 + SizeOf(i), RegisterFile.Of(i.Op0Register), RegisterFile.Temp0);
        return true;
    }

    /// <summary>Where a port number comes from: DX, or the zero register beside a constant.</summary>
    private static byte PortOf(in Instruction i, int operand) =>
        i.GetOpKind(operand) == OpKind.Register ? RegisterFile.Rdx : RegisterFile.Zero;

    private static int PortConstant(in Instruction i, int operand) =>
        i.GetOpKind(operand) == OpKind.Register ? 0 : i.Immediate8;

    private int TableSize(in Instruction i) =>
        Is64 ? 3 : i.Code is Code.Lgdt_m1632_16 or Code.Lidt_m1632_16 ? 1 : 2;
}
