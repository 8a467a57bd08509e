using Pagoda.Core;

namespace Pagoda.Machine.Cpu;

/// <summary>Segment registers and descriptors, and the CPU mode that follows from them.</summary>
public sealed unsafe partial class SoftVcpu
{
    private const int SegmentCount = 6;
    private const int ExtraSegment = 0;
    private const int CodeSegment = 1;
    private const int StackSegment = 2;
    private const int DataSegment = 3;
    private const int FsSegment = 4;

    private const ushort SegmentAccessed = 1 << 0;
    private const ushort SegmentWritable = 1 << 1;      // readable, for code
    private const ushort SegmentConforming = 1 << 2;    // expand-down, for data
    private const ushort SegmentCode = 1 << 3;
    private const ushort SegmentCodeOrData = 1 << 4;
    private const ushort SegmentPresent = 1 << 7;
    private const ushort SegmentLong = 1 << 13;
    private const ushort SegmentBig = 1 << 14;
    private const ushort SegmentGranular = 1 << 15;
    private const ushort FlatCodeRights = SegmentGranular | SegmentBig | SegmentPresent | SegmentCodeOrData | 0xB;
    private const ushort FlatDataRights = SegmentGranular | SegmentBig | SegmentPresent | SegmentCodeOrData | 0x3;

    private bool IsLongMode => (_state->Efer & ControlBits.LongModeActive) != 0;

    /// <summary>Linear addresses outside code: 64 bits in long mode whatever the code segment.</summary>
    private ulong LinearMask => IsLongMode ? ulong.MaxValue : uint.MaxValue;

    /// <summary>Sets a segment's visible and hidden parts from outside; call ModeChanged afterwards.</summary>
    /// <param name="segment">ES, CS, SS, DS, FS, GS are 0 to 5.</param>
    /// <param name="selector">The visible part.</param>
    /// <param name="rights">As <see cref="SegmentState.Rights"/>.</param>
    /// <param name="limit">The last valid byte offset.</param>
    /// <param name="baseAddress">Linear address of the first byte.</param>
    public void SetSegment(int segment, ushort selector, ushort rights, uint limit, ulong baseAddress)
    {
        SegmentState* hidden = &_state->Es + segment;
        hidden->Selector = selector;
        hidden->Rights = rights;
        hidden->Limit = limit;
        _state->SegmentBase[segment] = baseAddress;
        if (segment == CodeSegment) _state->Cpl = (uint)selector & 3;
    }

    /// <summary>Recomputes mode key, masks and TLB tables; drops what was decoded or linked for another mode.</summary>
    private void UpdateMode()
    {
        VcpuState* s = _state;
        bool is64 = IsLongMode && (s->Cs.Rights & SegmentLong) != 0;
        bool is32 = (s->Cs.Rights & SegmentBig) != 0;
        if (is64) s->SegmentBase[CodeSegment] = 0;
        uint key = is64 ? ModeKeys.Size64 : is32 ? ModeKeys.Size32 : ModeKeys.Size16;
        if (!is64 && !IsFlatModel()) key |= ModeKeys.Segmented;
        bool isSame = key == s->ModeKey && _modeCpl == s->Cpl && _modeCodeBase == s->SegmentBase[CodeSegment];
        s->ModeKey = key;
        s->AddressMask = is64 ? ulong.MaxValue : uint.MaxValue;
        s->InstructionMask = is64 ? ulong.MaxValue : is32 ? uint.MaxValue : ushort.MaxValue;
        s->TlbRead = _tlb.Table(s->Cpl == 3, write: false);
        s->TlbWrite = _tlb.Table(s->Cpl == 3, write: true);
        _modeCpl = s->Cpl;
        _modeCodeBase = s->SegmentBase[CodeSegment];
        if (!isSame) _cache.DropMappings();
    }

    private uint _modeCpl;
    private ulong _modeCodeBase;

    /// <summary>Whether CS, SS, DS and ES are all flat and the stack is 32 bits wide, so that no access needs a check.
    /// </summary>
    private bool IsFlatModel()
    {
        VcpuState* s = _state;
        for (int segment = ExtraSegment; segment <= DataSegment; segment++)
        {
            SegmentState* hidden = &s->Es + segment;
            if (s->SegmentBase[segment] != 0 || hidden->Limit != uint.MaxValue) return false;
            if ((hidden->Rights & (SegmentPresent | SegmentCodeOrData)) != (SegmentPresent | SegmentCodeOrData))
            {
                return false;
            }
            if (segment == CodeSegment) continue;
            bool isWritableData = (hidden->Rights & (SegmentCode | SegmentWritable | SegmentConforming))
                == SegmentWritable;
            if (!isWritableData) return false;
        }
        return (s->Ss.Rights & SegmentBig) != 0;
    }

    private bool FitsCodeLimit(ulong rip)
    {
        if ((_state->ModeKey & ModeKeys.SizeMask) == ModeKeys.Size64 || rip <= _state->Cs.Limit) return true;
        return Raise(GeneralProtection);
    }

    private static ushort RightsOf(ulong descriptor) => (ushort)(descriptor >> 40 & 0xF0FF);

    private static ulong BaseOf(ulong descriptor) =>
        (descriptor >> 16 & 0xFF_FFFF) | (descriptor >> 56 & 0xFF) << 24;

    private static uint LimitOf(ulong descriptor)
    {
        uint limit = (uint)(descriptor & 0xFFFF) | (uint)(descriptor >> 48 & 0xF) << 16;
        return (RightsOf(descriptor) & SegmentGranular) != 0 ? limit << 12 | 0xFFF : limit;
    }

    /// <summary>Reads a descriptor; beyond the table's limit it raises <paramref name="vector"/>.</summary>
    private bool ReadDescriptor(ushort selector, uint vector, out ulong descriptor)
    {
        descriptor = 0;
        if (!FindDescriptor(selector, out ulong address)) return Raise(vector, selector & SelectorMask);
        ulong value;
        bool isRead = ReadBytes(address, (byte*)&value, sizeof(ulong), user: false);
        descriptor = value;
        return isRead;
    }

    private bool FindDescriptor(ushort selector, out ulong address)
    {
        VcpuState* s = _state;
        bool isLocal = (selector & 4) != 0;
        uint offset = selector & 0xFFF8U;
        uint limit = isLocal ? s->Ldtr.Limit : s->Gdtr.Limit;
        address = ((isLocal ? s->LdtBase : s->Gdtr.Base) + offset) & LinearMask;
        if (isLocal && (s->Ldtr.Selector & SelectorMask) == 0) return false;
        return offset + 7 <= limit;
    }

    /// <summary>Fills a segment register from a descriptor that was checked.</summary>
    private void LoadHidden(int segment, ushort selector, ulong descriptor) =>
        SetHidden(segment, selector, RightsOf(descriptor), LimitOf(descriptor), BaseOf(descriptor));

    private void SetHidden(int segment, ushort selector, ushort rights, uint limit, ulong baseAddress)
    {
        uint cpl = _state->Cpl;
        SetSegment(segment, selector, rights, limit, baseAddress);
        _state->Cpl = cpl;
    }

    /// <summary>Sets a descriptor's accessed bit, as loading it does.</summary>
    private bool MarkAccessed(ushort selector, ulong descriptor)
    {
        if ((descriptor >> 40 & SegmentAccessed) != 0) return true;
        if (!FindDescriptor(selector, out ulong address)) return true;
        byte rights = (byte)(descriptor >> 40 | SegmentAccessed);
        return WriteBytes(null, address + 5, &rights, 1, user: false);
    }

    /// <summary>MOV, POP and LxS to ES, SS, DS, FS or GS (SDM volume 2, MOV).</summary>
    private bool LoadSegment(int segment, ushort selector)
    {
        VcpuState* s = _state;
        uint rpl = (uint)selector & 3;
        uint error = selector & SelectorMask;
        bool is64 = (s->ModeKey & ModeKeys.SizeMask) == ModeKeys.Size64;
        if (IsReal)
        {
            LoadRealSegment(segment, selector);
            return true;
        }
        if (error == 0)
        {
            if (segment == StackSegment && !(is64 && s->Cpl != 3 && rpl == s->Cpl)) return Raise(GeneralProtection);
            SetHidden(segment, selector, 0, 0, 0);
            return true;
        }
        if (!ReadDescriptor(selector, GeneralProtection, out ulong descriptor)) return false;
        ushort rights = RightsOf(descriptor);
        uint dpl = (uint)(rights >> 5) & 3;
        if ((rights & SegmentCodeOrData) == 0) return Raise(GeneralProtection, error);
        bool isCode = (rights & SegmentCode) != 0;
        bool canReadOrWrite = (rights & SegmentWritable) != 0;
        if (segment == StackSegment)
        {
            if (rpl != s->Cpl || dpl != s->Cpl || isCode || !canReadOrWrite) return Raise(GeneralProtection, error);
            if ((rights & SegmentPresent) == 0) return Raise(StackFault, error);
        }
        else
        {
            if (isCode && !canReadOrWrite) return Raise(GeneralProtection, error);
            bool isConforming = isCode && (rights & SegmentConforming) != 0;
            if (!isConforming && (rpl > dpl || s->Cpl > dpl)) return Raise(GeneralProtection, error);
            if ((rights & SegmentPresent) == 0) return Raise(SegmentNotPresent, error);
        }
        if (!MarkAccessed(selector, descriptor)) return false;
        LoadHidden(segment, selector, descriptor);
        return true;
    }

    /// <summary>
    /// Checks a code segment for a far transfer; <paramref name="cpl"/> is the level that it would run at.
    /// </summary>
    private bool CheckCodeSegment(ushort selector, bool isReturn, out ulong descriptor, out uint cpl)
    {
        VcpuState* s = _state;
        uint error = selector & SelectorMask;
        uint rpl = (uint)selector & 3;
        cpl = isReturn ? rpl : s->Cpl;
        descriptor = 0;
        if (IsReal)
        {
            cpl = 0;
            return true;
        }
        if (error == 0) return Raise(GeneralProtection);
        if (!ReadDescriptor(selector, GeneralProtection, out descriptor)) return false;
        ushort rights = RightsOf(descriptor);
        uint dpl = (uint)(rights >> 5) & 3;
        if ((rights & SegmentCodeOrData) == 0 && !isReturn)
        {
            Unsupported("far transfer through a gate or task");
            RaiseExit(VcpuExit.Unsupported);
            return false;
        }
        if ((rights & (SegmentCodeOrData | SegmentCode)) != (SegmentCodeOrData | SegmentCode))
        {
            return Raise(GeneralProtection, error);
        }
        bool isConforming = (rights & SegmentConforming) != 0;
        if (isReturn)
        {
            if (rpl < s->Cpl || (isConforming ? dpl > rpl : dpl != rpl)) return Raise(GeneralProtection, error);
        }
        else if (isConforming ? dpl > s->Cpl : rpl > s->Cpl || dpl != s->Cpl)
        {
            return Raise(GeneralProtection, error);
        }
        if (IsLongMode && (rights & (SegmentLong | SegmentBig)) == (SegmentLong | SegmentBig))
        {
            return Raise(GeneralProtection, error);
        }
        if ((rights & SegmentPresent) == 0) return Raise(SegmentNotPresent, error);
        return MarkAccessed(selector, descriptor);
    }

    /// <summary>Enters a code segment that was checked.</summary>
    private void EnterCodeSegment(ushort selector, ulong descriptor, uint cpl)
    {
        if (IsReal) LoadRealSegment(CodeSegment, selector);
        else LoadHidden(CodeSegment, (ushort)((selector & SelectorMask) | cpl), descriptor);
        _state->Cpl = cpl;
        UpdateMode();
    }
}
