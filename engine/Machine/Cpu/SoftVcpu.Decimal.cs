namespace Pagoda.Machine.Cpu;

/// <summary>Adjustments of decimal numbers (SDM volume 2, AAA to AAS, DAA, DAS).</summary>
public sealed unsafe partial class SoftVcpu
{
    private Outcome AdjustDecimal(MicroOp* op)
    {
        byte* al = (byte*)_state;
        byte* ah = al + 1;
        var operation = (IntegerOp)op->Sub;
        switch (operation)
        {
            case IntegerOp.Daa:
            case IntegerOp.Das:
                AdjustPacked(al, operation == IntegerOp.Das);
                break;
            case IntegerOp.Aaa:
            case IntegerOp.Aas:
                AdjustUnpacked((ushort*)al, operation == IntegerOp.Aas);
                break;
            case IntegerOp.Aam:
                if (op->Imm == 0) return RaiseFault(DivideError);
                *ah = (byte)(*al / op->Imm);
                *al = (byte)(*al % op->Imm);
                Logic(0, *al);
                break;
            default:
                *al = (byte)(*al + *ah * op->Imm);
                *ah = 0;
                Logic(0, *al);
                break;
        }
        return Outcome.Next;
    }

    private void AdjustPacked(byte* al, bool isSubtraction)
    {
        ulong image = Flags.Materialize(_state);
        byte old = *al;
        bool carries = (image & Flags.Carry) != 0;
        bool adjusts = (old & 15) > 9 || (image & Flags.Adjust) != 0;
        int change = (adjusts ? 6 : 0) + (old > 0x99 || carries ? 0x60 : 0);
        bool borrows = isSubtraction && adjusts && old < 6;
        *al = (byte)(isSubtraction ? old - change : old + change);
        bool carry = change >= 0x60 || borrows;
        SetResult(0, *al, (carry ? Flags.Carry : 0) | (adjusts ? Flags.Adjust : 0));
    }

    private void AdjustUnpacked(ushort* ax, bool isSubtraction)
    {
        bool adjusts = (*ax & 15) > 9 || Flags.IsAdjust(_state);
        if (adjusts) *ax = (ushort)(isSubtraction ? *ax - 0x106 : *ax + 0x106);
        *ax &= 0xFF0F;
        SetResult(0, (byte)*ax, adjusts ? Flags.Carry | Flags.Adjust : 0);
    }
}
