using System.Runtime.CompilerServices;
using Pagoda.Core;

namespace Pagoda.Machine.Cpu;

/// <summary>System instructions: tables, CPUID, time, ports, caches, selectors.</summary>
public sealed unsafe partial class SoftVcpu
{
    private const ulong PortNanoseconds = 1000;
    private const ulong PauseNanoseconds = 10_000;

    /// <summary>PAUSE ends Run: somebody else shall run while this one waits. Set before it runs.</summary>
    public bool YieldsAtPause { get; init; }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private Outcome ExecuteSystem(MicroOp* op)
    {
        VcpuState* s = _state;
        s->InsnNow = op->Insn;
        if (IsReal && NeedsProtection((SystemOp)op->Sub)) return RaiseFault(UndefinedOpcode);
        switch ((SystemOp)op->Sub)
        {
            case SystemOp.In:
            case SystemOp.Out:
                return Port(op);
            case SystemOp.ReadTsc:
            case SystemOp.ReadTscAndId:
                if ((s->Cr4 & ControlBits.TimeStampDisable) != 0 && s->Cpl != 0) return RaiseFault(GeneralProtection);
                ulong tsc = TimeNanoseconds + s->TscOffset;
                s->Gpr[0] = (uint)tsc;
                s->Gpr[2] = tsc >> 32;
                if ((SystemOp)op->Sub == SystemOp.ReadTscAndId) s->Gpr[1] = 0;
                return Outcome.Next;
            case SystemOp.Cpuid:
                _bus.Cpuid((uint)s->Gpr[0], (uint)s->Gpr[1], out CpuidResult result);
                s->Gpr[0] = result.Eax;
                s->Gpr[3] = result.Ebx;
                s->Gpr[1] = result.Ecx;
                s->Gpr[2] = result.Edx;
                return Outcome.Next;
            case SystemOp.Pause:
                s->ExtraNanoseconds += PauseNanoseconds;
                if (!YieldsAtPause) return Outcome.Next;
                s->Rip = RipOf(op->Insn + 1);
                _exit = VcpuExit.Paused;
                return Outcome.Exit;
            case SystemOp.Fence:
                Shared.Fence();
                return Outcome.Next;
            case SystemOp.FlushLine:
                return Probe(op);
            case SystemOp.StoreGdt:
                return StoreTable(op, s->Gdtr);
            case SystemOp.StoreIdt:
                return StoreTable(op, s->Idtr);
            case SystemOp.StoreLdt:
                *(ulong*)((byte*)s + op->A) = s->Ldtr.Selector;
                return Outcome.Next;
            case SystemOp.StoreTask:
                *(ulong*)((byte*)s + op->A) = s->TaskRegister.Selector;
                return Outcome.Next;
            case SystemOp.StoreMachineStatus:
                *(ulong*)((byte*)s + op->A) = s->Cr0;
                return Outcome.Next;
            case SystemOp.VerifyRead:
            case SystemOp.VerifyWrite:
            case SystemOp.LoadRights:
            case SystemOp.LoadLimit:
                return ExamineSelector(op);
            case SystemOp.AdjustPrivilege:
                AdjustPrivilege(op);
                return Outcome.Next;
            default:
                return s->Cpl == 0 ? Privileged(op) : RaiseFault(GeneralProtection);
        }
    }

    /// <summary>Instructions on descriptors, which real mode does not know.</summary>
    private static bool NeedsProtection(SystemOp operation) => operation is SystemOp.LoadLdt or SystemOp.LoadTask
        or SystemOp.StoreLdt or SystemOp.StoreTask or SystemOp.VerifyRead or SystemOp.VerifyWrite
        or SystemOp.LoadRights or SystemOp.LoadLimit or SystemOp.AdjustPrivilege;

    private Outcome Privileged(MicroOp* op)
    {
        VcpuState* s = _state;
        switch ((SystemOp)op->Sub)
        {
            case SystemOp.ReadControl:
                return ReadControl(op);
            case SystemOp.WriteControl:
                return WriteControl(op);
            case SystemOp.ReadDebug:
                *(ulong*)((byte*)s + op->A) = s->DebugRegisters[op->Imm & 7];
                return Outcome.Next;
            case SystemOp.WriteDebug:
                s->DebugRegisters[op->Imm & 7] = *(ulong*)((byte*)s + op->A);
                return Outcome.Next;
            case SystemOp.LoadGdt:
                return LoadTable(op, ref s->Gdtr);
            case SystemOp.LoadIdt:
                return LoadTable(op, ref s->Idtr);
            case SystemOp.LoadLdt:
                return LoadLdt(op);
            case SystemOp.LoadTask:
                return LoadTask(op);
            case SystemOp.LoadMachineStatus:
                ulong status = *(ulong*)((byte*)s + op->B);
                return ChangeCr0(op, (s->Cr0 & ~0xEUL) | (status & 0xE) | (status & ControlBits.ProtectionEnable));
            case SystemOp.ClearTaskSwitched:
                s->Cr0 &= ~ControlBits.TaskSwitched;
                return JumpToNext(op);
            case SystemOp.InvalidatePage:
                FlushPage((*(ulong*)((byte*)s + op->Base) + (ulong)op->Disp) & s->AddressMask);
                return JumpToNext(op);
            case SystemOp.InvalidateCaches:
                return Outcome.Next;
            case SystemOp.ReadMsr:
                return ReadMsr();
            case SystemOp.WriteMsr:
                return WriteMsr(op);
            default:
                if ((s->ModeKey & ModeKeys.SizeMask) != ModeKeys.Size64) return RaiseFault(UndefinedOpcode);
                (s->SegmentBase[5], s->KernelGsBase) = (s->KernelGsBase, s->SegmentBase[5]);
                return JumpToNext(op);
        }
    }

    private Outcome Port(MicroOp* op)
    {
        VcpuState* s = _state;
        int bytes = 1 << op->SizeLog2;
        int port = op->B == RegisterFile.Rdx ? (ushort)s->Gpr[2] : op->Imm;
        if (!MayUsePort(port, bytes)) return Outcome.Fault;
        if ((SystemOp)op->Sub == SystemOp.In) StoreRegister(RegisterFile.Rax, op->SizeLog2, PortIn(port, bytes));
        else PortOut(port, bytes, (uint)(s->Gpr[0] & OperandMask(op->SizeLog2)));
        return Outcome.Next;
    }

    /// <summary>Whether IOPL, or else the TSS's bitmap, allows a port access (SDM volume 1, section 19.5).</summary>
    private bool MayUsePort(int port, int bytes)
    {
        VcpuState* s = _state;
        if (s->Cpl <= IoPrivilege) return true;
        const uint BitmapPointer = 0x66;
        if (s->TaskRegister.Limit < BitmapPointer + 1) return Raise(GeneralProtection);
        ushort start = 0;
        if (!ReadBytes((s->TaskBase + BitmapPointer) & LinearMask, (byte*)&start, 2, user: false)) return false;
        uint at = start + (uint)(port >> 3);
        if (at + 1 > s->TaskRegister.Limit) return Raise(GeneralProtection);
        ushort bits = 0;
        if (!ReadBytes((s->TaskBase + at) & LinearMask, (byte*)&bits, 2, user: false)) return false;
        return (bits >> (port & 7) & ((1 << bytes) - 1)) == 0 || Raise(GeneralProtection);
    }

    private uint PortIn(int port, int bytes)
    {
        _memory.Exit();
        uint value = _bus.In(port, bytes);
        Reenter();
        CountPort();
        return value;
    }

    private void PortOut(int port, int bytes, uint value)
    {
        _memory.Exit();
        _bus.Out(port, bytes, value);
        Reenter();
        CountPort();
    }

    private void CountPort()
    {
        _state->PortAccesses++;
        _state->ExtraNanoseconds += PortNanoseconds;
    }

    /// <summary>CLFLUSH and its kin touch the line like a byte load and do nothing else.</summary>
    private Outcome Probe(MicroOp* op)
    {
        ulong address = (*(ulong*)((byte*)_state + op->Base) + (ulong)op->Disp) & _state->AddressMask;
        FillStatus status = Translate(address, Prot.Read, IsUser);
        if (status is FillStatus.Ok or FillStatus.Mmio or FillStatus.Device) return Outcome.Next;
        RaiseMemory(status, address);
        return Outcome.Fault;
    }

    private Outcome LoadTable(MicroOp* op, ref TableRegister register)
    {
        VcpuState* s = _state;
        bool is64 = op->SizeLog2 == 3;
        ulong* image = stackalloc ulong[2];
        image[1] = 0;
        ulong address = (*(ulong*)((byte*)s + op->Base) + (ulong)op->Disp) & s->AddressMask;
        if (!ReadBytes(address, (byte*)image, is64 ? 10 : 6, IsUser)) return Outcome.Fault;
        ulong tableBase = *(ulong*)((byte*)image + 2);
        register.Limit = *(ushort*)image;
        register.Base = op->SizeLog2 switch
        {
            1 => tableBase & 0xFF_FFFF,
            2 => (uint)tableBase,
            _ => tableBase,
        };
        return Outcome.Next;
    }

    private Outcome StoreTable(MicroOp* op, TableRegister register)
    {
        VcpuState* s = _state;
        ulong* image = stackalloc ulong[2];
        *(ushort*)image = (ushort)register.Limit;
        *(ulong*)((byte*)image + 2) = register.Base;
        ulong address = (*(ulong*)((byte*)s + op->Base) + (ulong)op->Disp) & s->AddressMask;
        return WriteBytes(op, address, (byte*)image, op->SizeLog2 == 3 ? 10 : 6, IsUser) ? Outcome.Next : Outcome.Fault;
    }

    private Outcome LoadLdt(MicroOp* op)
    {
        VcpuState* s = _state;
        ushort selector = *(ushort*)((byte*)s + op->B);
        if ((selector & SelectorMask) == 0)
        {
            s->Ldtr = new SegmentState { Selector = selector };
            return Outcome.Next;
        }
        if (!LoadSystemSegment(selector, 2, 2, ref s->Ldtr, ref s->LdtBase)) return Outcome.Fault;
        return Outcome.Next;
    }

    private Outcome LoadTask(MicroOp* op)
    {
        VcpuState* s = _state;
        ushort selector = *(ushort*)((byte*)s + op->B);
        if ((selector & SelectorMask) == 0) return RaiseFault(GeneralProtection);
        if (!LoadSystemSegment(selector, 1, 9, ref s->TaskRegister, ref s->TaskBase)) return Outcome.Fault;
        // The descriptor becomes busy.
        byte rights = (byte)(s->TaskRegister.Rights | 2);
        s->TaskRegister.Rights |= 2;
        ulong address = (s->Gdtr.Base + (selector & 0xFFF8U) + 5) & LinearMask;
        return WriteBytes(op, address, &rights, 1, user: false) ? Outcome.Next : Outcome.Fault;
    }

    private bool LoadSystemSegment(ushort selector, uint typeA, uint typeB, ref SegmentState hidden,
        ref ulong segmentBase)
    {
        uint error = selector & SelectorMask;
        if ((selector & 4) != 0) return Raise(GeneralProtection, error);
        if (!ReadDescriptor(selector, GeneralProtection, out ulong descriptor)) return false;
        ushort rights = RightsOf(descriptor);
        uint type = rights & 0x1FU;
        if (type != typeA && type != typeB) return Raise(GeneralProtection, error);
        if ((rights & SegmentPresent) == 0) return Raise(SegmentNotPresent, error);
        ulong high = 0;
        if (IsLongMode)
        {
            if (!FindDescriptor(selector, out ulong address)) return Raise(GeneralProtection, error);
            if (!ReadBytes((address + sizeof(ulong)) & LinearMask, (byte*)&high, sizeof(ulong), user: false))
            {
                return false;
            }
        }
        hidden = new SegmentState { Selector = selector, Rights = rights, Limit = LimitOf(descriptor) };
        segmentBase = BaseOf(descriptor) | (ulong)(uint)high << 32;
        return true;
    }

    /// <summary>VERR, VERW, LAR and LSL: ZF says whether the selector is good.</summary>
    private Outcome ExamineSelector(MicroOp* op)
    {
        VcpuState* s = _state;
        ushort selector = *(ushort*)((byte*)s + op->B);
        bool isGood = false;
        ulong descriptor = 0;
        if ((selector & SelectorMask) != 0 && FindDescriptor(selector, out ulong address))
        {
            ulong value;
            if (!ReadBytes(address, (byte*)&value, sizeof(ulong), user: false)) return Outcome.Fault;
            descriptor = value;
            isGood = IsVisible((SystemOp)op->Sub, selector, RightsOf(descriptor));
        }
        ulong image = Flags.Materialize(s) & ~Flags.Zero;
        Flags.Set(s, image | (isGood ? Flags.Zero : 0));
        if (!isGood) return Outcome.Next;
        if ((SystemOp)op->Sub == SystemOp.LoadRights) StoreRegister(op->A, op->SizeLog2, descriptor >> 32 & 0xFF_FF00);
        else if ((SystemOp)op->Sub == SystemOp.LoadLimit) StoreRegister(op->A, op->SizeLog2, LimitOf(descriptor));
        return Outcome.Next;
    }

    /// <summary>ARPL: a selector's privilege level becomes at least another's.</summary>
    private void AdjustPrivilege(MicroOp* op)
    {
        ushort* selector = (ushort*)((byte*)_state + op->A);
        uint level = *(ushort*)((byte*)_state + op->B) & 3U;
        bool rises = (*selector & 3U) < level;
        if (rises) *selector = (ushort)((*selector & ~3U) | level);
        ulong image = Flags.Materialize(_state) & ~Flags.Zero;
        Flags.Set(_state, image | (rises ? Flags.Zero : 0));
    }

    private bool IsVisible(SystemOp operation, ushort selector, ushort rights)
    {
        uint dpl = (uint)(rights >> 5) & 3;
        bool isCode = (rights & (SegmentCodeOrData | SegmentCode)) == (SegmentCodeOrData | SegmentCode);
        bool isConforming = isCode && (rights & SegmentConforming) != 0;
        if (!isConforming && (dpl < _state->Cpl || dpl < ((uint)selector & 3))) return false;
        bool isSystem = (rights & SegmentCodeOrData) == 0;
        uint type = rights & 0xFU;
        return operation switch
        {
            SystemOp.VerifyRead => !isSystem && (!isCode || (rights & SegmentWritable) != 0),
            SystemOp.VerifyWrite => !isSystem && !isCode && (rights & SegmentWritable) != 0,
            SystemOp.LoadLimit => !isSystem || type is 2 or 9 or 11 || (!IsLongMode && type is 1 or 3),
            _ => !isSystem || type is 2 or 9 or 11 or 12 || (!IsLongMode && type is 1 or 3 or 4 or 5),
        };
    }
}
