namespace Pagoda.Machine.Cpu;

/// <summary>The states a vCPU begins in: INIT, the start-up vector, and the one a boot loader leaves.</summary>
public sealed unsafe partial class SoftVcpu
{
    private const uint ResetProcessorSignature = 0x600;     // EDX after reset: family 6
    private const ushort RealDataRights = SegmentPresent | SegmentCodeOrData | SegmentWritable | SegmentAccessed;
    private const ushort TaskRights = SegmentPresent | 0xB;
    private const ushort TableRights = SegmentPresent | 0x2;
    private const ushort ResetCodeSelector = 0xF000;
    private const ulong ResetCodeBase = 0xFFFF_0000;
    private const ulong ResetRip = 0xFFF0;
    private const ulong CacheBits = ControlBits.NotWriteThrough | ControlBits.CacheDisable;

    /// <summary>
    /// What INIT does (SDM volume 3, table "IA-32 and Intel 64 Processor States Following Power-up, Reset, or INIT"):
    /// real mode at the reset vector, and it waits for a start-up message. x87 state, time and counters go on. From the
    /// vCPU's thread.
    /// </summary>
    public void Reset()
    {
        VcpuState* s = _state;
        for (int i = 0; i < GeneralRegisters; i++) s->Gpr[i] = 0;
        s->Gpr[2] = ResetProcessorSignature;
        s->SystemFlags = Flags.Fixed;
        Flags.Set(s, 0);
        s->Cr0 = (s->Cr0 & CacheBits) | ControlBits.ExtensionType;
        s->Cr2 = 0;
        s->Cr3 = 0;
        s->Cr4 = 0;
        s->Cr8 = 0;
        s->Efer = 0;
        s->Gdtr = new TableRegister { Limit = ushort.MaxValue };
        s->Idtr = new TableRegister { Limit = ushort.MaxValue };
        s->TaskRegister = new SegmentState { Rights = TaskRights, Limit = ushort.MaxValue };
        s->TaskBase = 0;
        s->Ldtr = new SegmentState { Rights = TableRights, Limit = ushort.MaxValue };
        s->LdtBase = 0;
        for (int segment = 0; segment < SegmentCount; segment++)
        {
            SetSegment(segment, 0, RealDataRights, ushort.MaxValue, 0);
        }
        SetHidden(CodeSegment, ResetCodeSelector, RealDataRights, ushort.MaxValue, ResetCodeBase);
        s->Rip = ResetRip;
        s->NmiBlocked = 0;
        s->ShadowAt = ulong.MaxValue;
        s->Activity = VcpuActivity.WaitingForStartup;
        ModeChanged();
    }

    /// <summary>
    /// What a start-up message does to a vCPU that waits for one: it runs in real mode with CS at
    /// <paramref name="vector"/> times 4 KiB and IP 0. From the vCPU's thread.
    /// </summary>
    public void Start(byte vector)
    {
        SetHidden(CodeSegment, (ushort)(vector << 8), RealDataRights, ushort.MaxValue, (ulong)vector << 12);
        _state->Rip = 0;
        _state->Activity = VcpuActivity.Running;
        ModeChanged();
    }

    /// <summary>
    /// 32-bit protected mode with flat segments at CPL 0, paging and interrupts off, at RIP 0, everything else zero;
    /// time and counters go on.
    /// </summary>
    public void SetFlat()
    {
        ulong before = _state->InstructionsBefore;
        *_state = default;
        _state->InstructionsBefore = before;
        _state->ShadowAt = ulong.MaxValue;
        _state->SystemFlags = Flags.Fixed;
        Flags.Set(_state, 0);
        _state->Cr0 = ControlBits.ProtectionEnable | ControlBits.ExtensionType;
        _state->JumpCache = _cache.Jumps;
        for (int segment = 0; segment < SegmentCount; segment++)
        {
            ushort rights = segment == CodeSegment ? FlatCodeRights : FlatDataRights;
            SetSegment(segment, 0, rights, uint.MaxValue, 0);
        }
        ResetFpu();
        ModeChanged();
    }
}
