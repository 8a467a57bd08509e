using System;
using System.Runtime.CompilerServices;
using Pagoda.Core;

namespace Pagoda.Machine.Cpu;

/// <summary>Slow paths of memory accesses: TLB misses, page crossings, device memory, stores beside decoded
/// code.</summary>
public sealed unsafe partial class SoftVcpu
{
    private const ulong MmioNanoseconds = 1000;
    private const int WatchedSlots = 32;

    // Pages that may be stored to but are watched: the write TLB refuses them, so this keeps them cheap.
    private readonly WatchedPage[] _watched = new WatchedPage[WatchedSlots];

    private TlbFill _fill;
    private KeptRegisters _kept;

    private struct KeptRegisters
    {
        public fixed ulong Gpr[GeneralRegisters];
        public ulong Flags;
    }

    private struct WatchedPage
    {
        public ulong Tag;
        public byte* Host;
        public uint Pfn;
    }

    private bool IsUser => _state->Cpl == 3;

    /// <summary>Empties everything that holds translations.</summary>
    [AllocationFree]
    internal void FlushTranslations()
    {
        _tlb.Flush();
        _cache.DropMappings();
        ForgetFetches();
        ForgetWatched();
    }

    [AllocationFree]
    private void ForgetWatched()
    {
        for (int i = 0; i < WatchedSlots; i++) _watched[i].Tag = 0;
    }

    /// <summary>Empties what holds the translation of one page (INVLPG).</summary>
    private void FlushPage(ulong address)
    {
        _tlb.FlushPage(address);
        _cache.DropMappings();
        ForgetFetches();
        ForgetWatched();
    }

    /// <summary>A load that missed. Null: something is pending.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private byte* SlowRead(MicroOp* op, ulong address, int size)
    {
        _state->InsnNow = op->Insn;
        if ((address & Paging.PageOffsetMask) + (uint)size > Paging.PageBytes)
        {
            byte* buffer = (byte*)&_state->Scratch;
            return ReadBytes(address, buffer, size, IsUser) ? buffer : null;
        }
        FillStatus status = Translate(address, Prot.Read, IsUser);
        if (status == FillStatus.Ok) return _fill.HostPage + (address & Paging.PageOffsetMask);
        if (status is not (FillStatus.Mmio or FillStatus.Device))
        {
            RaiseMemory(status, address);
            return null;
        }
        _state->Scratch = ReadDevice(status, _fill.Gpa, size);
        return (byte*)&_state->Scratch;
    }

    /// <summary>A store that missed. False: something is pending and nothing was stored.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool SlowWrite(MicroOp* op, ulong address, int size, ulong value)
    {
        _state->InsnNow = op->Insn;
        ulong offset = address & Paging.PageOffsetMask;
        if (offset + (uint)size > Paging.PageBytes)
        {
            _state->Scratch2 = value;
            return WriteBytes(op, address, (byte*)&_state->Scratch2, size, IsUser);
        }
        FillStatus status = Translate(address, Prot.Write, IsUser);
        if (status == FillStatus.Ok)
        {
            byte* host = _fill.HostPage + offset;
            switch (size)
            {
                case 1:
                    *host = (byte)value;
                    break;
                case 2:
                    *(ushort*)host = (ushort)value;
                    break;
                case 4:
                    *(uint*)host = (uint)value;
                    break;
                default:
                    *(ulong*)host = value;
                    break;
            }
            Stored(op, _fill.Pfn, (int)offset, size);
            return true;
        }
        if (status is not (FillStatus.Mmio or FillStatus.Device))
        {
            RaiseMemory(status, address);
            return false;
        }
        WriteDevice(status, _fill.Gpa, size, value);
        return true;
    }

    /// <summary>
    /// The load of a read-modify-write that missed: memory itself when stores to it need no care, else the scratch
    /// word, which <see cref="CommitRmw"/> writes back.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private byte* SlowRmw(MicroOp* op, ulong address, int size)
    {
        _state->InsnNow = op->Insn;
        _state->RmwAddress = address;
        byte* buffer = (byte*)&_state->Scratch;
        if ((address & Paging.PageOffsetMask) + (uint)size > Paging.PageBytes)
        {
            if (!CanWriteBytes(address, size, IsUser)) return null;
            KeepRegisters();
            return ReadBytes(address, buffer, size, IsUser) ? buffer : null;
        }
        FillStatus status = Translate(address, Prot.Write, IsUser);
        if (status == FillStatus.Ok)
        {
            byte* host = _fill.HostPage + (address & Paging.PageOffsetMask);
            if (!MustSeeStores(_fill.Pfn)) return host;
            KeepRegisters();
            _state->Scratch = 0;
            Unsafe.CopyBlockUnaligned(buffer, host, (uint)size);
            return buffer;
        }
        if (status is not (FillStatus.Mmio or FillStatus.Device))
        {
            RaiseMemory(status, address);
            return null;
        }
        KeepRegisters();
        // Memory that may only be read answers the load; its device gets the store.
        return ReadPart(address, buffer, size, IsUser) ? buffer : null;
    }

    /// <summary>The store of a read-modify-write that went through the scratch word.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool CommitRmw(MicroOp* op, int size)
    {
        if (SlowWrite(op, _state->RmwAddress, size, _state->Scratch)) return true;
        TakeRegistersBack();
        return false;
    }

    /// <summary>
    /// In front of a read-modify-write on a copy: its load may leave the slot, to ask a device for one, so that the
    /// store is refused when registers and flags have changed already.
    /// </summary>
    private void KeepRegisters()
    {
        for (int i = 0; i < GeneralRegisters; i++) _kept.Gpr[i] = _state->Gpr[i];
        _kept.Flags = Flags.Materialize(_state);
    }

    /// <summary>The store was refused: the instruction has changed nothing.</summary>
    private void TakeRegistersBack()
    {
        for (int i = 0; i < GeneralRegisters; i++) _state->Gpr[i] = _kept.Gpr[i];
        Flags.Set(_state, _kept.Flags);
    }

    /// <summary>
    /// Translates one address into <see cref="_fill"/> and the TLB. The host pointer is good until the consumer slot is
    /// left.
    /// </summary>
    private FillStatus Translate(ulong address, Prot access, bool user)
    {
        if (access == Prot.Write)
        {
            ref WatchedPage watched = ref _watched[(int)(address >> Paging.PageShift) & (WatchedSlots - 1)];
            if (watched.Tag == WatchedTag(address, user) && _memory.IsCode(watched.Pfn))
            {
                _fill.HostPage = watched.Host;
                _fill.Pfn = watched.Pfn;
                return FillStatus.Ok;
            }
        }
        byte* page = _tlb.Find(address, user, access, out Prot granted, out uint pfn);
        if (page == null)
        {
            FillStatus status = _memory.Fill(_state, address, access, user, out _fill);
            _state->TlbFills++;
            if (status != FillStatus.Ok) return status;
            granted = _fill.Granted;
            page = _fill.HostPage;
            pfn = _fill.Pfn;
            _tlb.Keep(address, page, _fill.Shift, user, granted, pfn);
            if (_fill.IsOfLargePage) _tlb.HasLargePages = true;
        }
        else
        {
            _fill.HostPage = page;
            _fill.Pfn = pfn;
        }
        bool canWrite = (granted & Prot.Write) != 0;
        if (canWrite && MustSeeStores(pfn))
        {
            canWrite = false;
            ref WatchedPage watched = ref _watched[(int)(address >> Paging.PageShift) & (WatchedSlots - 1)];
            watched.Tag = WatchedTag(address, user);
            watched.Host = page;
            watched.Pfn = pfn;
        }
        _tlb.Fill(address, page, user, (granted & Prot.Read) != 0, canWrite);
        return FillStatus.Ok;
    }

    private static ulong WatchedTag(ulong address, bool user) => (address & PageMask) | (user ? 3UL : 1UL);

    /// <summary>Reads any run of bytes that crosses at most one page boundary. False: something is pending.</summary>
    private bool ReadBytes(ulong address, byte* buffer, int size, bool user)
    {
        for (; ; )
        {
            ulong departures = _memory.Departures;
            ulong accesses = _state->MmioAccesses;
            int first = (int)Math.Min((ulong)size, Paging.PageBytes - (address & Paging.PageOffsetMask));
            if (!ReadPart(address, buffer, first, user)) return false;
            if (first == size) return true;
            ulong next = (address + (uint)first) & _state->AddressMask;
            if (!ReadPart(next, buffer + first, size - first, user)) return false;
            // A device is read once, though asking it leaves the slot.
            if (_memory.Departures == departures || _state->MmioAccesses != accesses) return true;
        }
    }

    private bool ReadPart(ulong address, byte* buffer, int size, bool user)
    {
        FillStatus status = Translate(address, Prot.Read, user);
        if (status == FillStatus.Ok)
        {
            CopyOperand(buffer, _fill.HostPage + (address & Paging.PageOffsetMask), size);
            return true;
        }
        if (status is not (FillStatus.Mmio or FillStatus.Device))
        {
            RaiseMemory(status, address);
            return false;
        }
        ulong gpa = _fill.Gpa;
        if (size is 1 or 2 or 4 or 8)
        {
            ulong value = ReadDevice(status, gpa, size);
            Unsafe.CopyBlockUnaligned(buffer, (byte*)&value, (uint)size);
            return true;
        }
        for (int i = 0; i < size; i++) buffer[i] = (byte)ReadDevice(status, gpa + (uint)i, 1);
        return true;
    }

    /// <summary>Copies bytes; an operand of an instruction's own sizes in one access, so that no other vCPU sees a
    /// part.</summary>
    private static void CopyOperand(byte* to, byte* from, int size)
    {
        switch (size)
        {
            case 1:
                *to = *from;
                break;
            case 2:
                *(ushort*)to = *(ushort*)from;
                break;
            case 4:
                *(uint*)to = *(uint*)from;
                break;
            case 8:
                *(ulong*)to = *(ulong*)from;
                break;
            default:
                Unsafe.CopyBlockUnaligned(to, from, (uint)size);
                break;
        }
    }

    /// <summary>Whether a run that crosses at most one page boundary may be written. False: something is
    /// pending.</summary>
    private bool CanWriteBytes(ulong address, int size, bool user)
    {
        int first = (int)Math.Min((ulong)size, Paging.PageBytes - (address & Paging.PageOffsetMask));
        if (!CanWrite(address, user)) return false;
        return first == size || CanWrite((address + (uint)first) & _state->AddressMask, user);
    }

    private bool CanWrite(ulong address, bool user)
    {
        FillStatus status = Translate(address, Prot.Write, user);
        if (status is FillStatus.Ok or FillStatus.Mmio or FillStatus.Device) return true;
        RaiseMemory(status, address);
        return false;
    }

    /// <summary>
    /// Writes a run that crosses at most one page boundary; both pages are checked before the first byte is written.
    /// </summary>
    private bool WriteBytes(MicroOp* op, ulong address, byte* buffer, int size, bool user)
    {
        if (!CanWriteBytes(address, size, user)) return false;
        int first = (int)Math.Min((ulong)size, Paging.PageBytes - (address & Paging.PageOffsetMask));
        if (!WritePart(op, address, buffer, first, user)) return false;
        if (first == size) return true;
        return WritePart(op, (address + (uint)first) & _state->AddressMask, buffer + first, size - first, user);
    }

    private bool WritePart(MicroOp* op, ulong address, byte* buffer, int size, bool user)
    {
        FillStatus status = Translate(address, Prot.Write, user);
        if (status == FillStatus.Ok)
        {
            ulong offset = address & Paging.PageOffsetMask;
            CopyOperand(_fill.HostPage + offset, buffer, size);
            Stored(op, _fill.Pfn, (int)offset, size);
            return true;
        }
        if (status is not (FillStatus.Mmio or FillStatus.Device))
        {
            RaiseMemory(status, address);
            return false;
        }
        ulong gpa = _fill.Gpa;
        for (int i = 0; i < size; i++) WriteDevice(status, gpa + (uint)i, 1, buffer[i]);
        return true;
    }

    /// <summary>After every store that did not go through the write TLB: decoded code may have changed.</summary>
    private void Stored(MicroOp* op, uint pfn, int offset, int size)
    {
        if (pfn == 0) return;
        if (_memory.IsCode(pfn))
        {
            ulong lines = 0;
            for (int line = offset >> 6; line <= (offset + size - 1) >> 6; line++) lines |= 1UL << line;
            _ = _memory.CodeStored(pfn, lines);
        }
        // Whoever changed it: another vCPU may just have cleared the marks that this store would have met.
        if (op != null && IsOfChangedBlock(pfn)) LeaveChangedBlock(op);
    }

    /// <summary>
    /// Whether stores to a frame must come by <see cref="Stored"/>: where it is watched, and where the running block
    /// was decoded from it before another vCPU's store ended the watch.
    /// </summary>
    private bool MustSeeStores(uint pfn) => pfn != 0 && (_memory.IsCode(pfn) || IsOfChangedBlock(pfn));

    /// <summary>Whether the running block was decoded from a frame that has changed since.</summary>
    private bool IsOfChangedBlock(uint pfn)
    {
        Block* block = _state->CurrentBlock;
        if (block == null) return false;
        if (block->Pfn == pfn) return Shared.Load(_memory.CodeVersion(pfn)) != block->Version;
        return block->SecondPfn == pfn && Shared.Load(_memory.CodeVersion(pfn)) != block->SecondVersion;
    }

    /// <summary>
    /// The running block's next instruction becomes an exit: what follows is fetched anew, as a processor does.
    /// </summary>
    private void LeaveChangedBlock(MicroOp* op)
    {
        Block* block = _state->CurrentBlock;
        MicroOp* end = Block.Ops(block) + block->OpCount;
        MicroOp* next = op + 1;
        while (next < end && next->Insn == op->Insn) next++;
        if (next >= end) return;
        *next = default;
        next->Code = OpCode.CodeChanged;
        next->Insn = (byte)(op->Insn + 1);
    }

    private ulong ReadDevice(FillStatus status, ulong gpa, int size)
    {
        _state->MmioAccesses++;
        _memory.Exit();
        ulong value = status == FillStatus.Device ? _memory.ReadDevice(gpa, size) : _bus.ReadMmio(gpa, size);
        Reenter();
        _state->ExtraNanoseconds += MmioNanoseconds;
        return value;
    }

    private void WriteDevice(FillStatus status, ulong gpa, int size, ulong value)
    {
        _state->MmioAccesses++;
        _memory.Exit();
        if (status == FillStatus.Device) _memory.WriteDevice(gpa, size, value);
        else _bus.WriteMmio(gpa, size, value);
        Reenter();
        _state->ExtraNanoseconds += MmioNanoseconds;
    }

    /// <summary>Back into the consumer slot after a device was called.</summary>
    private void Reenter()
    {
        if (!_memory.Enter()) RequestStop();
        LookForEvents();
    }
}
