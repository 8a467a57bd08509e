using System.Runtime.CompilerServices;
using Pagoda.Core;

namespace Pagoda.Machine.Cpu;

/// <summary>Segment checks and bit-string addresses.</summary>
public sealed unsafe partial class SoftVcpu
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    private Outcome ExecuteAddress(MicroOp* op)
    {
        VcpuState* s = _state;
        if ((AddressOp)op->Sub == AddressOp.CheckSegment)
        {
            ulong offset = *(ulong*)((byte*)s + op->Base) + (ulong)op->Disp;
            return CheckSegment(op->A, offset & uint.MaxValue, op->Imm, op->B != 0) ? Outcome.Next : Outcome.Fault;
        }
        int bits = 8 << op->SizeLog2;
        long bit = SignExtended(op->B, op->SizeLog2);
        s->Temp1 += (ulong)((bit & -(long)bits) / 8);
        s->Temp2 = (ulong)bit & (ulong)(bits - 1);
        return Outcome.Next;
    }

    private long SignExtended(byte register, int sizeLog2)
    {
        byte* cell = (byte*)_state + register;
        return sizeLog2 switch
        {
            0 => *(sbyte*)cell,
            1 => *(short*)cell,
            2 => *(int*)cell,
            _ => *(long*)cell,
        };
    }

    /// <summary>Checks an access against a segment's rights and limit (SDM volume 3, sections 5.3 and 5.5).</summary>
    private bool CheckSegment(int segment, ulong offset, int bytes, bool isWrite)
    {
        SegmentState* hidden = &_state->Es + segment;
        uint vector = segment == StackSegment ? StackFault : GeneralProtection;
        if (IsLongMode && (_state->ModeKey & ModeKeys.SizeMask) == ModeKeys.Size64) return true;
        ushort rights = hidden->Rights;
        if (IsReal) return offset + (uint)bytes - 1 <= hidden->Limit || Raise(vector);
        if ((rights & SegmentPresent) == 0) return Raise(vector);
        bool isCode = (rights & SegmentCode) != 0;
        bool canWrite = !isCode && (rights & SegmentWritable) != 0;
        bool canRead = !isCode || (rights & SegmentWritable) != 0;
        if (isWrite ? !canWrite : !canRead) return Raise(vector);
        ulong last = offset + (uint)bytes - 1;
        bool isDown = !isCode && (rights & SegmentConforming) != 0;
        if (!isDown) return last <= hidden->Limit || Raise(vector);
        ulong top = (rights & SegmentBig) != 0 ? uint.MaxValue : ushort.MaxValue;
        return (offset > hidden->Limit && last <= top) || Raise(vector);
    }
}
