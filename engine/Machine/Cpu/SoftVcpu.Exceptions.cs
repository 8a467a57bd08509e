using Pagoda.Core;

namespace Pagoda.Machine.Cpu;

/// <summary>Exceptions and interrupts: raising them, and delivering them through the IDT.</summary>
public sealed unsafe partial class SoftVcpu
{
    private const uint DivideError = 0;
    private const uint DebugException = 1;
    private const uint BreakpointException = 3;
    private const uint OverflowException = 4;
    private const uint BoundRange = 5;
    private const uint UndefinedOpcode = 6;
    private const uint DeviceNotAvailable = 7;
    private const uint DoubleFault = 8;
    private const uint InvalidTaskState = 10;
    private const uint SegmentNotPresent = 11;
    private const uint StackFault = 12;
    private const uint GeneralProtection = 13;
    private const uint PageFault = 14;
    private const uint AlignmentCheck = 17;

    private const uint SelectorMask = 0xFFFC;
    private const uint ErrorIdt = 2;
    private const uint ErrorExternal = 1;

    private bool Raise(uint vector, uint errorCode = 0)
    {
        VcpuState* s = _state;
        s->PendingKind = (uint)Pending.Exception;
        s->PendingVector = vector;
        s->PendingErrorCode = errorCode;
        return false;
    }

    private Outcome RaiseFault(uint vector, uint errorCode = 0)
    {
        Raise(vector, errorCode);
        return Outcome.Fault;
    }

    private void RaiseRestart() => _state->PendingKind = (uint)Pending.Restart;

    private void RaiseExit(VcpuExit exit)
    {
        _exit = exit;
        _state->PendingKind = (uint)Pending.Exit;
    }

    /// <summary>What a translation that did not succeed means for the instruction.</summary>
    private void RaiseMemory(FillStatus status, ulong address)
    {
        switch (status)
        {
            case FillStatus.PageFault:
                Raise(PageFault, _fill.ErrorCode);
                _state->PendingAddress = address;
                break;
            case FillStatus.NotCanonical:
                Raise(GeneralProtection);
                break;
            default:
                RaiseExit(VcpuExit.MemoryError);
                break;
        }
    }

    /// <summary>Ends an instruction that could not finish. True: go on at RIP.</summary>
    private bool Deliver(MicroOp* op)
    {
        _state->Rip = RipOf(op->Insn);
        return DeliverPending();
    }

    private bool DeliverPending()
    {
        VcpuState* s = _state;
        switch ((Pending)s->PendingKind)
        {
            case Pending.Restart:
                return true;
            case Pending.Exit:
                return false;
            default:
                return DeliverException();
        }
    }

    /// <summary>Delivers the pending exception, a double fault if that fails, and shuts down if that fails
    /// too.</summary>
    private bool DeliverException()
    {
        VcpuState* s = _state;
        uint vector = s->PendingVector;
        for (; ; )
        {
            if (vector == PageFault) s->Cr2 = s->PendingAddress;
            s->ExceptionsDelivered++;
            uint error = s->PendingErrorCode;
            if (DeliverVector(vector, HasErrorCode(vector), error, isSoftware: false)) return true;
            if ((Pending)s->PendingKind == Pending.Exit) return false;
            if ((Pending)s->PendingKind == Pending.Restart) continue;
            if (vector == DoubleFault)
            {
                _exit = VcpuExit.TripleFault;
                return false;
            }
            uint second = s->PendingVector;
            bool isDouble = IsContributory(second) ? vector == PageFault || IsContributory(vector)
                : second == PageFault && vector == PageFault;
            if (isDouble)
            {
                s->PendingVector = DoubleFault;
                s->PendingErrorCode = 0;
            }
            else
            {
                s->PendingErrorCode |= second == PageFault ? 0 : ErrorExternal;
            }
            vector = s->PendingVector;
        }
    }

    /// <summary>Delivers an NMI or an interrupt between two instructions. False: Run ends.</summary>
    private bool DeliverEvent(uint vector)
    {
        VcpuState* s = _state;
        while (!DeliverVector(vector, hasError: false, 0, isSoftware: false))
        {
            switch ((Pending)s->PendingKind)
            {
                case Pending.Restart:
                    continue;
                case Pending.Exit:
                    return false;
                default:
                    if (s->PendingVector != PageFault) s->PendingErrorCode |= ErrorExternal;
                    return DeliverException();
            }
        }
        return true;
    }

    private static bool IsContributory(uint vector) =>
        vector is DivideError or InvalidTaskState or SegmentNotPresent or StackFault or GeneralProtection;

    private static bool HasErrorCode(uint vector) =>
        vector is DoubleFault or (>= InvalidTaskState and <= PageFault) or AlignmentCheck;

    /// <summary>
    /// Transfers control through the IDT, with RIP as the address to return to (SDM volume 3, sections 6.12 and 6.14).
    /// </summary>
    /// <returns>False: something is pending and nothing but memory below the stack changed.</returns>
    private bool DeliverVector(uint vector, bool hasError, uint error, bool isSoftware)
    {
        VcpuState* s = _state;
        if (IsReal) return DeliverReal(vector);
        bool isLong = IsLongMode;
        uint gateBytes = isLong ? 16U : 8U;
        uint idtError = vector * 8 + ErrorIdt + (isSoftware ? 0 : ErrorExternal);
        if (vector * gateBytes + gateBytes - 1 > s->Idtr.Limit) return Raise(GeneralProtection, idtError);
        ulong* gate = stackalloc ulong[2];
        gate[1] = 0;
        ulong gateAddress = (s->Idtr.Base + vector * gateBytes) & LinearMask;
        if (!ReadBytes(gateAddress, (byte*)gate, (int)gateBytes, user: false)) return false;
        uint type = (uint)(gate[0] >> 40) & 0x1F;
        bool isKnown = isLong ? type is 14 or 15 : type is 6 or 7 or 14 or 15;
        if (!isKnown)
        {
            if (!isLong && type == 5)
            {
                Unsupported("task gate");
                RaiseExit(VcpuExit.Unsupported);
                return false;
            }
            return Raise(GeneralProtection, idtError);
        }
        if (isSoftware && (uint)(gate[0] >> 45 & 3) < s->Cpl) return Raise(GeneralProtection, idtError);
        if ((gate[0] >> 47 & 1) == 0) return Raise(SegmentNotPresent, idtError);
        var transfer = new Transfer
        {
            Selector = (ushort)(gate[0] >> 16),
            Offset = (gate[0] & 0xFFFF) | (gate[0] >> 48 << 16) | (gate[1] & uint.MaxValue) << 32,
            HasError = hasError,
            Error = error,
            IsInterruptGate = (type & 1) == 0,
            StackTable = isLong ? (int)(gate[0] >> 32 & 7) : 0,
            IsWide = type >= 14,
            External = isSoftware ? 0 : ErrorExternal,
        };
        if (!FindHandler(ref transfer)) return false;
        return isLong ? EnterHandlerLong(transfer) : EnterHandler(transfer);
    }

    /// <summary>What a gate says, and what its code segment turned out to be.</summary>
    private struct Transfer
    {
        public ulong Offset;
        public ulong Descriptor;
        public uint Error;
        public uint Cpl;
        public uint External;       // in error codes: not an INT instruction's doing
        public int StackTable;
        public ushort Selector;
        public bool HasError;
        public bool IsInterruptGate;
        public bool IsWide;
    }

    private bool FindHandler(ref Transfer transfer)
    {
        VcpuState* s = _state;
        uint selectorError = (transfer.Selector & SelectorMask) | transfer.External;
        if ((transfer.Selector & SelectorMask) == 0) return Raise(GeneralProtection, transfer.External);
        if (!ReadDescriptor(transfer.Selector, GeneralProtection, out ulong descriptor)) return false;
        ushort rights = RightsOf(descriptor);
        if ((rights & (SegmentCodeOrData | SegmentCode)) != (SegmentCodeOrData | SegmentCode))
        {
            return Raise(GeneralProtection, selectorError);
        }
        uint dpl = (uint)(rights >> 5) & 3;
        if (dpl > s->Cpl) return Raise(GeneralProtection, selectorError);
        if ((rights & SegmentPresent) == 0) return Raise(SegmentNotPresent, selectorError);
        if (IsLongMode && (rights & (SegmentLong | SegmentBig)) != SegmentLong)
        {
            return Raise(GeneralProtection, selectorError);
        }
        transfer.Cpl = (rights & SegmentConforming) != 0 ? s->Cpl : dpl;
        transfer.Descriptor = descriptor;
        return true;
    }

    private bool EnterHandlerLong(in Transfer transfer)
    {
        VcpuState* s = _state;
        ulong stack = s->Gpr[4];
        bool changes = transfer.Cpl != s->Cpl;
        if (transfer.StackTable != 0 || changes)
        {
            uint slot = transfer.StackTable != 0 ? 0x24 + (uint)(transfer.StackTable - 1) * 8 : 4 + transfer.Cpl * 8;
            uint taskError = s->TaskRegister.Selector & SelectorMask;
            if (slot + 7 > s->TaskRegister.Limit) return Raise(InvalidTaskState, taskError);
            if (!ReadBytes(s->TaskBase + slot, (byte*)&stack, sizeof(ulong), user: false)) return false;
        }
        int words = transfer.HasError ? 6 : 5;
        ulong* frame = stackalloc ulong[6];
        int at = 0;
        if (transfer.HasError) frame[at++] = transfer.Error;
        frame[at++] = s->Rip;
        frame[at++] = s->Cs.Selector;
        frame[at++] = Rflags;
        frame[at++] = s->Gpr[4];
        frame[at] = s->Ss.Selector;
        stack = (stack & ~15UL) - (ulong)words * sizeof(ulong);
        if (!WriteStack(stack, (byte*)frame, words * sizeof(ulong), transfer.Cpl)) return false;
        s->Gpr[4] = stack;
        if (changes) SetSegment(StackSegment, (ushort)transfer.Cpl, 0, 0, 0);
        CompleteTransfer(transfer);
        return true;
    }

    private bool EnterHandler(in Transfer transfer)
    {
        VcpuState* s = _state;
        bool changes = transfer.Cpl != s->Cpl;
        if (changes && (Rflags & Flags.Virtual8086) != 0)
        {
            Unsupported("virtual-8086 mode");
            RaiseExit(VcpuExit.Unsupported);
            return false;
        }
        ulong stack = s->Gpr[4];
        ushort stackSelector = s->Ss.Selector;
        ulong stackDescriptor = 0;
        if (changes && !FindInnerStack(transfer.Cpl, out stack, out stackSelector, out stackDescriptor)) return false;
        uint* frame = stackalloc uint[6];
        int at = 0;
        if (transfer.HasError) frame[at++] = transfer.Error;
        frame[at++] = (uint)s->Rip;
        frame[at++] = s->Cs.Selector;
        frame[at++] = (uint)Rflags;
        if (changes)
        {
            frame[at++] = (uint)s->Gpr[4];
            frame[at++] = s->Ss.Selector;
        }
        int bytes = at * sizeof(uint);
        if (!transfer.IsWide)
        {
            var narrow = (ushort*)frame;
            for (int i = 0; i < at; i++) narrow[i] = (ushort)frame[i];
            bytes = at * sizeof(ushort);
        }
        bool isBig = changes ? (RightsOf(stackDescriptor) & SegmentBig) != 0 : (s->Ss.Rights & SegmentBig) != 0;
        ulong stackMask = isBig ? uint.MaxValue : ushort.MaxValue;
        ulong stackBase = changes ? BaseOf(stackDescriptor) : s->SegmentBase[StackSegment];
        ulong top = (stack - (uint)bytes) & stackMask;
        bool fits = changes ? IsStackFor(stackDescriptor, top, bytes) || Raise(StackFault, stackSelector & SelectorMask)
            : FitsStack(top, bytes);
        if (!fits) return false;
        if (!WriteStack((stackBase + top) & uint.MaxValue, (byte*)frame, bytes, transfer.Cpl)) return false;
        if (changes) LoadHidden(StackSegment, stackSelector, stackDescriptor);
        s->Gpr[4] = (s->Gpr[4] & ~stackMask & uint.MaxValue) | top;
        CompleteTransfer(transfer);
        return true;
    }

    /// <summary>The stack that a 32-bit TSS names for an inner privilege level.</summary>
    private bool FindInnerStack(uint cpl, out ulong stack, out ushort selector, out ulong descriptor)
    {
        VcpuState* s = _state;
        stack = 0;
        selector = 0;
        descriptor = 0;
        uint slot = 4 + cpl * 8;
        uint taskError = s->TaskRegister.Selector & SelectorMask;
        if (slot + 5 > s->TaskRegister.Limit) return Raise(InvalidTaskState, taskError);
        ulong pair = 0;
        if (!ReadBytes((s->TaskBase + slot) & uint.MaxValue, (byte*)&pair, 6, user: false)) return false;
        stack = (uint)pair;
        selector = (ushort)(pair >> 32);
        uint error = selector & SelectorMask;
        if (error == 0 || (selector & 3) != cpl) return Raise(InvalidTaskState, error);
        if (!ReadDescriptor(selector, InvalidTaskState, out descriptor)) return false;
        ushort rights = RightsOf(descriptor);
        bool isStack = (rights & (SegmentCodeOrData | SegmentCode | SegmentWritable))
            == (SegmentCodeOrData | SegmentWritable);
        if (!isStack || ((uint)(rights >> 5) & 3) != cpl) return Raise(InvalidTaskState, error);
        return (rights & SegmentPresent) != 0 || Raise(StackFault, error);
    }

    /// <summary>Whether a new stack segment's limit holds a frame.</summary>
    private static bool IsStackFor(ulong descriptor, ulong top, int bytes)
    {
        ushort rights = RightsOf(descriptor);
        ulong last = top + (uint)bytes - 1;
        if ((rights & SegmentConforming) == 0) return last <= LimitOf(descriptor);
        return top > LimitOf(descriptor) && last <= ((rights & SegmentBig) != 0 ? uint.MaxValue : ushort.MaxValue);
    }

    private void CompleteTransfer(in Transfer transfer)
    {
        VcpuState* s = _state;
        ushort selector = (ushort)((transfer.Selector & SelectorMask) | transfer.Cpl);
        LoadHidden(CodeSegment, selector, transfer.Descriptor);
        s->Cpl = transfer.Cpl;
        s->Rip = transfer.Offset & (IsLongMode ? ulong.MaxValue : uint.MaxValue);
        s->SystemFlags &= ~(Flags.Trap | Flags.NestedTask | Flags.Resume | Flags.Virtual8086);
        if (transfer.IsInterruptGate) s->SystemFlags &= ~Flags.Interrupt;
        UpdateMode();
    }

    /// <summary>Writes a frame with the rights of the level that it is for.</summary>
    private bool WriteStack(ulong address, byte* frame, int bytes, uint cpl) =>
        WriteBytes(null, address, frame, bytes, user: cpl == 3);
}
