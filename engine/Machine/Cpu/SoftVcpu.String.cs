using System;
using System.Runtime.CompilerServices;
using Pagoda.Core;

namespace Pagoda.Machine.Cpu;

/// <summary>String instructions, page by page where they repeat.</summary>
/// <remarks>
/// A repeated instruction moves its registers on after each run, so a fault or a stop in the middle leaves a state from
/// which it continues; it counts as one instruction. Between runs it looks for shootdowns and events.
/// </remarks>
public sealed unsafe partial class SoftVcpu
{
    /// <summary>One string instruction's particulars.</summary>
    private struct StringRun
    {
        public MicroOp* Op;
        public ulong Count;         // elements left, all ones without REP
        public ulong Mask;          // of the address size
        public ulong SourceBase;
        public ulong TargetBase;
        public long Step;           // bytes of an element, negative with DF
        public int Bytes;
        public int SizeLog2;
        public bool Repeats;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private Outcome ExecuteString(MicroOp* op)
    {
        VcpuState* s = _state;
        s->InsnNow = op->Insn;
        var run = new StringRun { Op = op, SizeLog2 = op->SizeLog2, Bytes = 1 << op->SizeLog2, Repeats = op->B != 0 };
        run.Mask = op->Imm == 8 ? ulong.MaxValue : op->Imm == 4 ? uint.MaxValue : ushort.MaxValue;
        run.Step = (s->SystemFlags & Flags.Direction) != 0 ? -run.Bytes : run.Bytes;
        bool is64 = (s->ModeKey & ModeKeys.SizeMask) == ModeKeys.Size64;
        run.SourceBase = op->A == Translator.NoSegment ? 0 : s->SegmentBase[op->A];
        run.TargetBase = is64 ? 0 : s->SegmentBase[ExtraSegment];
        run.Count = run.Repeats ? s->Gpr[1] & run.Mask : 1;
        if (run.Count == 0) return Outcome.Next;
        var operation = (StringOp)op->Sub;
        while (true)
        {
            ulong done;
            switch (operation)
            {
                case StringOp.Move:
                    done = MoveRun(ref run);
                    break;
                case StringOp.Store:
                    done = StoreRun(ref run);
                    break;
                default:
                    done = OneElement(operation, ref run);
                    break;
            }
            if (done == 0) return Outcome.Fault;
            if (!run.Repeats) return Outcome.Next;
            run.Count -= done;
            StoreAddress(RegisterFile.Rcx, run.Mask, run.Count);
            if (run.Count == 0 || EndsByComparison(operation, op->B)) return Outcome.Next;
            if (!MayGoOn(op)) return Outcome.Fault;
        }
    }

    private bool EndsByComparison(StringOp operation, byte repeat)
    {
        if (operation is not (StringOp.Compare or StringOp.Scan)) return false;
        return Flags.IsZero(_state) != (repeat == 1);
    }

    /// <summary>Between two runs: translations may go stale and an event may come in. False: pending.</summary>
    private bool MayGoOn(MicroOp* op)
    {
        if (!_memory.Poll())
        {
            RaiseExit(VcpuExit.MemoryError);
            return false;
        }
        if (!IsDue(Shared.Load(&_state->Events))) return true;
        // The instruction goes on where it is when that has been taken.
        RaiseExit(VcpuExit.BudgetExhausted);
        return false;
    }

    private void StoreAddress(byte register, ulong mask, ulong value)
    {
        ulong* cell = (ulong*)((byte*)_state + register);
        if (mask == ushort.MaxValue) *(ushort*)cell = (ushort)value;
        else *cell = value & mask;
    }

    private ulong SourceAddress(in StringRun run) =>
        (run.SourceBase + (_state->Gpr[6] & run.Mask)) & _state->AddressMask;

    private ulong TargetAddress(in StringRun run) =>
        (run.TargetBase + (_state->Gpr[7] & run.Mask)) & _state->AddressMask;

    /// <summary>Elements from an address to the end of its page in the run's direction; 0 when one crosses.</summary>
    private static ulong ElementsInPage(ulong address, in StringRun run)
    {
        ulong offset = address & Paging.PageOffsetMask;
        if (run.Step > 0) return (Paging.PageBytes - offset) >> run.SizeLog2;
        return offset + (uint)run.Bytes > Paging.PageBytes ? 0 : (offset >> run.SizeLog2) + 1;
    }

    /// <summary>Elements before an index register wraps around at its address size.</summary>
    private static ulong ElementsBeforeWrap(ulong register, in StringRun run)
    {
        if (run.Mask == ulong.MaxValue) return ulong.MaxValue;
        ulong offset = register & run.Mask;
        return run.Step > 0 ? (run.Mask - offset + 1) >> run.SizeLog2 : (offset >> run.SizeLog2) + 1;
    }

    private void Advance(int register, in StringRun run, ulong elements) =>
        StoreAddress((byte)(register * 8), run.Mask, _state->Gpr[register] + (ulong)run.Step * elements);

    /// <summary>STOS within one page. 0: pending.</summary>
    private ulong StoreRun(ref StringRun run)
    {
        VcpuState* s = _state;
        ulong address = TargetAddress(run);
        ulong count = Math.Min(run.Count, ElementsInPage(address, run));
        count = Math.Min(count, ElementsBeforeWrap(s->Gpr[7], run));
        if (count == 0 || !IsAllowed(run, ExtraSegment, s->Gpr[7], count, isWrite: true))
        {
            return OneElement(StringOp.Store, ref run);
        }
        FillStatus status = Translate(address, Prot.Write, IsUser);
        if (status != FillStatus.Ok) return OneElement(StringOp.Store, ref run);
        ulong offset = address & Paging.PageOffsetMask;
        ulong first = run.Step > 0 ? offset : offset - (count - 1) * (uint)run.Bytes;
        byte* host = _fill.HostPage + first;
        Fill(host, run.SizeLog2, (int)count, s->Gpr[0]);
        Stored(run.Op, _fill.Pfn, (int)first, (int)count << run.SizeLog2);
        Advance(7, run, count);
        return count;
    }

    private static void Fill(byte* host, int sizeLog2, int count, ulong value)
    {
        switch (sizeLog2)
        {
            case 0:
                new Span<byte>(host, count).Fill((byte)value);
                break;
            case 1:
                new Span<ushort>(host, count).Fill((ushort)value);
                break;
            case 2:
                new Span<uint>(host, count).Fill((uint)value);
                break;
            default:
                new Span<ulong>(host, count).Fill(value);
                break;
        }
    }

    /// <summary>MOVS within one source page and one target page. 0: pending.</summary>
    private ulong MoveRun(ref StringRun run)
    {
        VcpuState* s = _state;
        ulong source = SourceAddress(run);
        ulong target = TargetAddress(run);
        ulong count = Math.Min(run.Count, Math.Min(ElementsInPage(source, run), ElementsInPage(target, run)));
        count = Math.Min(count, ElementsBeforeWrap(s->Gpr[6], run));
        count = Math.Min(count, ElementsBeforeWrap(s->Gpr[7], run));
        if (count == 0 || !IsAllowed(run, run.Op->A, s->Gpr[6], count, isWrite: false)
            || !IsAllowed(run, ExtraSegment, s->Gpr[7], count, isWrite: true))
        {
            return OneElement(StringOp.Move, ref run);
        }
        if (Translate(source, Prot.Read, IsUser) != FillStatus.Ok) return OneElement(StringOp.Move, ref run);
        byte* from = _fill.HostPage + (source & Paging.PageOffsetMask);
        ulong departures = _memory.Departures;
        if (Translate(target, Prot.Write, IsUser) != FillStatus.Ok || _memory.Departures != departures)
        {
            // Not plain memory, or the source's pointer is from before a fault: one element at a time is always right.
            return OneElement(StringOp.Move, ref run);
        }
        byte* to = _fill.HostPage + (target & Paging.PageOffsetMask);
        int bytes = (int)count << run.SizeLog2;
        int back = run.Step > 0 ? 0 : bytes - run.Bytes;
        Copy(from - back, to - back, bytes, run);
        Stored(run.Op, _fill.Pfn, (int)(target & Paging.PageOffsetMask) - back, bytes);
        Advance(6, run, count);
        Advance(7, run, count);
        return count;
    }

    /// <summary>Copies as the instruction would, element after element, where source and target overlap.</summary>
    private static void Copy(byte* from, byte* to, int bytes, in StringRun run)
    {
        bool repeatsItself = run.Step > 0 ? to > from && to < from + bytes : to < from && from < to + bytes;
        if (bytes == run.Bytes)
        {
            CopyOperand(to, from, bytes);
            return;
        }
        if (!repeatsItself)
        {
            Buffer.MemoryCopy(from, to, bytes, bytes);
            return;
        }
        int at = run.Step > 0 ? 0 : bytes - run.Bytes;
        for (int moved = 0; moved < bytes; moved += run.Bytes, at += (int)run.Step)
        {
            if (run.SizeLog2 == 3) *(ulong*)(to + at) = *(ulong*)(from + at);
            else if (run.SizeLog2 == 2) *(uint*)(to + at) = *(uint*)(from + at);
            else if (run.SizeLog2 == 1) *(ushort*)(to + at) = *(ushort*)(from + at);
            else to[at] = from[at];
        }
    }

    /// <summary>Whether a segment allows a whole run; if not, single elements find out where it ends.</summary>
    private bool IsAllowed(in StringRun run, int segment, ulong register, ulong count, bool isWrite)
    {
        if (segment == Translator.NoSegment) return true;
        bool isChecked = (_state->ModeKey & ModeKeys.Segmented) != 0 || segment >= FsSegment;
        if (!isChecked) return true;
        ulong offset = register & run.Mask;
        if (run.Step < 0) offset -= (count - 1) * (uint)run.Bytes;
        return CheckSegment(segment, offset, (int)(count << run.SizeLog2), isWrite);
    }

    private ulong OneElement(StringOp operation, ref StringRun run)
    {
        VcpuState* s = _state;
        bool usesSource = operation is StringOp.Move or StringOp.Load or StringOp.Compare or StringOp.Output;
        bool usesTarget = operation is not (StringOp.Load or StringOp.Output);
        bool writes = operation is StringOp.Move or StringOp.Store or StringOp.Input;
        ulong value = s->Gpr[0];
        ulong other = 0;
        if (operation is StringOp.Input or StringOp.Output && !MayUsePort((int)(ushort)s->Gpr[2], run.Bytes))
        {
            return 0;
        }
        if (usesSource)
        {
            if (!IsAllowed(run, run.Op->A, s->Gpr[6], 1, isWrite: false)) return 0;
            value = 0;
            if (!ReadBytes(SourceAddress(run), (byte*)&value, run.Bytes, IsUser)) return 0;
        }
        if (usesTarget)
        {
            ulong target = TargetAddress(run);
            if (!IsAllowed(run, ExtraSegment, s->Gpr[7], 1, writes)) return 0;
            if (writes)
            {
                // A port is read only when its value can be stored.
                if (operation == StringOp.Input)
                {
                    if (!CanWriteBytes(target, run.Bytes, IsUser)) return 0;
                    value = PortIn((ushort)s->Gpr[2], run.Bytes);
                }
                if (!SlowWrite(run.Op, target, run.Bytes, value)) return 0;
            }
            else if (!ReadBytes(target, (byte*)&other, run.Bytes, IsUser)) return 0;
        }
        switch (operation)
        {
            case StringOp.Load:
                StoreRegister(RegisterFile.Rax, run.SizeLog2, value);
                break;
            case StringOp.Compare:
            case StringOp.Scan:
                SetSubtraction(run.SizeLog2, value, other);
                break;
            case StringOp.Output:
                PortOut((ushort)s->Gpr[2], run.Bytes, (uint)value);
                break;
        }
        if (usesSource) Advance(6, run, 1);
        if (usesTarget) Advance(7, run, 1);
        return 1;
    }
}
