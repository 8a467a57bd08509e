using System;
using System.Runtime.CompilerServices;

namespace Pagoda.Machine.Cpu;

/// <summary>Stack instructions that need more than the flat forms of the hot switch.</summary>
public sealed unsafe partial class SoftVcpu
{
    private const int EnterLevelsMax = 31;

    /// <summary>The bits of the stack pointer that the stack segment uses.</summary>
    private ulong StackMask
    {
        get
        {
            if ((_state->ModeKey & ModeKeys.SizeMask) == ModeKeys.Size64) return ulong.MaxValue;
            return (_state->Ss.Rights & SegmentBig) != 0 ? uint.MaxValue : ushort.MaxValue;
        }
    }

    private ulong StackLinear(ulong offset)
    {
        if ((_state->ModeKey & ModeKeys.SizeMask) == ModeKeys.Size64) return offset;
        return (_state->SegmentBase[StackSegment] + (offset & StackMask)) & uint.MaxValue;
    }

    /// <summary>Reads a stack slot at a distance from the top, zero-extended.</summary>
    private bool PeekStack(int distance, int sizeLog2, out ulong value)
    {
        ulong word = 0;
        ulong offset = (_state->Gpr[4] + (uint)distance) & StackMask;
        bool isRead = FitsStack(offset, 1 << sizeLog2)
            && ReadBytes(StackLinear(offset), (byte*)&word, 1 << sizeLog2, IsUser);
        value = word;
        return isRead;
    }

    /// <summary>Moves the stack pointer up by some bytes.</summary>
    private void MoveStack(int bytes) => SetStackPointer(_state->Gpr[4] + (ulong)bytes);

    private void SetStackPointer(ulong value)
    {
        ulong mask = StackMask;
        _state->Gpr[4] = (_state->Gpr[4] & ~mask & (mask == ushort.MaxValue ? uint.MaxValue : 0)) | (value & mask);
    }

    /// <summary>Pushes a run of bytes as one: all of it or nothing.</summary>
    private bool PushBytes(MicroOp* op, byte* bytes, int count)
    {
        ulong offset = (_state->Gpr[4] - (uint)count) & StackMask;
        if (!FitsStack(offset, count)) return false;
        if (!WriteBytes(op, StackLinear(offset), bytes, count, IsUser)) return false;
        SetStackPointer(offset);
        return true;
    }

    private bool FitsStack(ulong offset, int bytes)
    {
        if ((_state->ModeKey & ModeKeys.Segmented) == 0) return true;
        return CheckSegment(StackSegment, offset, bytes, isWrite: true);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private Outcome ExecuteStack(MicroOp* op)
    {
        VcpuState* s = _state;
        int size = op->SizeLog2;
        ulong value;
        s->InsnNow = op->Insn;
        switch ((StackOp)op->Sub)
        {
            case StackOp.Push:
                value = *(ulong*)((byte*)s + op->A);
                return PushBytes(op, (byte*)&value, 1 << size) ? Outcome.Next : Outcome.Fault;
            case StackOp.Pop:
                if (!PeekStack(0, size, out value)) return Outcome.Fault;
                MoveStack(1 << size);
                StoreRegister(op->A, size, value);
                return Outcome.Next;
            case StackOp.Peek:
                if (!PeekStack(0, size, out value)) return Outcome.Fault;
                *(ulong*)((byte*)s + op->A) = value;
                return Outcome.Next;
            case StackOp.Drop:
                MoveStack(1 << size);
                return Outcome.Next;
            case StackOp.PushAll:
                return PushAll(op);
            case StackOp.PopAll:
                return PopAll(op);
            case StackOp.PushFlags:
                value = Rflags & ~(Flags.Resume | Flags.Virtual8086);
                return PushBytes(op, (byte*)&value, 1 << size) ? Outcome.Next : Outcome.Fault;
            case StackOp.PopFlags:
                if (!PeekStack(0, size, out value)) return Outcome.Fault;
                MoveStack(1 << size);
                LoadFlags(value & ~Flags.Resume, size, s->Cpl);
                LookForEvents();
                return JumpToNext(op);
            case StackOp.Enter:
                return Enter(op);
            case StackOp.Leave:
                return Leave(op);
            case StackOp.CallNear:
                ulong target = *(ulong*)((byte*)s + op->A) & OperandMask(size);
                value = (s->RipBase + (ulong)op->Disp) & s->InstructionMask;
                if (!PushBytes(op, (byte*)&value, 1 << size)) return Outcome.Fault;
                s->Rip = target & s->InstructionMask;
                return Outcome.Jump;
            default:
                if (!PeekStack(0, size, out value)) return Outcome.Fault;
                MoveStack((1 << size) + (ushort)op->Imm);
                s->Rip = value & s->InstructionMask;
                return Outcome.Jump;
        }
    }

    private Outcome PushAll(MicroOp* op)
    {
        VcpuState* s = _state;
        int bytes = 1 << op->SizeLog2;
        byte* frame = stackalloc byte[36];
        for (int i = 0; i < 8; i++) *(uint*)(frame + (7 - i) * bytes) = (uint)s->Gpr[i];
        if (bytes == 2)
        {
            for (int i = 0; i < 8; i++) *(ushort*)(frame + (7 - i) * 2) = (ushort)s->Gpr[i];
        }
        return PushBytes(op, frame, 8 * bytes) ? Outcome.Next : Outcome.Fault;
    }

    private Outcome PopAll(MicroOp* op)
    {
        VcpuState* s = _state;
        int size = op->SizeLog2;
        ulong* values = stackalloc ulong[8];
        for (int i = 0; i < 8; i++)
        {
            if (!PeekStack(i << size, size, out values[7 - i])) return Outcome.Fault;
        }
        for (int i = 0; i < 8; i++)
        {
            if (i != 4) StoreRegister((byte)(i * 8), size, values[i]);
        }
        MoveStack(8 << size);
        return Outcome.Next;
    }

    /// <summary>ENTER: pushes the frame pointer and, for nested procedures, the frame pointers of the outer
    /// ones.</summary>
    private Outcome Enter(MicroOp* op)
    {
        VcpuState* s = _state;
        int size = op->SizeLog2;
        int bytes = 1 << size;
        int level = op->Disp;
        byte* frame = stackalloc byte[(EnterLevelsMax + 2) * sizeof(ulong)];
        int words = level == 0 ? 1 : level + 1;
        ulong framePointer = (s->Gpr[4] - (uint)bytes) & StackMask;
        // The run is written from its lowest word: the last push first.
        for (int i = 1; i < level; i++)
        {
            ulong outer = 0;
            ulong offset = (s->Gpr[5] - (uint)(i * bytes)) & StackMask;
            if (!ReadBytes(StackLinear(offset), (byte*)&outer, bytes, IsUser)) return Outcome.Fault;
            WriteWord(frame + (words - 1 - i) * bytes, size, outer);
        }
        if (level > 0) WriteWord(frame, size, framePointer);
        WriteWord(frame + (words - 1) * bytes, size, s->Gpr[5]);
        ulong oldStack = s->Gpr[4];
        if (!PushBytes(op, frame, words * bytes)) return Outcome.Fault;
        ulong last = (s->Gpr[4] - (ushort)op->Imm) & StackMask;
        if (!CanWriteBytes(StackLinear(last), bytes, IsUser))
        {
            s->Gpr[4] = oldStack;
            return Outcome.Fault;
        }
        SetStackPointer(last);
        StoreRegister(RegisterFile.Rbp, size, framePointer);
        return Outcome.Next;
    }

    private static void WriteWord(byte* at, int sizeLog2, ulong value)
    {
        if (sizeLog2 == 1) *(ushort*)at = (ushort)value;
        else if (sizeLog2 == 2) *(uint*)at = (uint)value;
        else *(ulong*)at = value;
    }

    private Outcome Leave(MicroOp* op)
    {
        VcpuState* s = _state;
        int size = op->SizeLog2;
        ulong value = 0;
        ulong offset = s->Gpr[5] & StackMask;
        if (!ReadBytes(StackLinear(offset), (byte*)&value, 1 << size, IsUser)) return Outcome.Fault;
        SetStackPointer(offset + (1U << size));
        StoreRegister(RegisterFile.Rbp, size, value);
        return Outcome.Next;
    }
}
