namespace Pagoda.Machine.Cpu;

/// <summary>Real mode: segments without descriptors, interrupts through the vector table.</summary>
/// <remarks>
/// A segment load sets selector and base and leaves limit and rights as they are, as processors do; so a program that
/// comes back from protected mode with large limits keeps them (SDM volume 3, section 10.9.2). No access is checked
/// against rights.
/// </remarks>
public sealed unsafe partial class SoftVcpu
{
    private const int RealVectorBytes = 4;

    private bool IsReal => (_state->Cr0 & ControlBits.ProtectionEnable) == 0;

    private void LoadRealSegment(int segment, ushort selector)
    {
        SegmentState* hidden = &_state->Es + segment;
        SetHidden(segment, selector, hidden->Rights, hidden->Limit, (ulong)selector << 4);
    }

    /// <summary>Delivers an interrupt or exception in real mode: FLAGS, CS and IP are pushed, never an error
    /// code.</summary>
    private bool DeliverReal(uint vector)
    {
        VcpuState* s = _state;
        if (vector * RealVectorBytes + RealVectorBytes - 1 > s->Idtr.Limit) return Raise(GeneralProtection);
        uint entry;
        ulong address = (s->Idtr.Base + vector * RealVectorBytes) & uint.MaxValue;
        if (!ReadBytes(address, (byte*)&entry, RealVectorBytes, user: false)) return false;
        ushort* frame = stackalloc ushort[3];
        frame[0] = (ushort)s->Rip;
        frame[1] = s->Cs.Selector;
        frame[2] = (ushort)Rflags;
        if (!PushBytes(null, (byte*)frame, 3 * sizeof(ushort))) return false;
        s->SystemFlags &= ~(Flags.Interrupt | Flags.Trap | Flags.AlignmentCheck | Flags.Resume);
        LoadRealSegment(CodeSegment, (ushort)(entry >> 16));
        s->Rip = (ushort)entry;
        UpdateMode();
        return true;
    }
}
