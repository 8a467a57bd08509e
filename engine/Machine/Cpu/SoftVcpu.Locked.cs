using System;
using System.Runtime.CompilerServices;
using System.Threading;
using Pagoda.Core;
using Pagoda.Tlb;

namespace Pagoda.Machine.Cpu;

/// <summary>Locked read-modify-write instructions: one compare-and-swap on the guest's memory itself.</summary>
/// <remarks>
/// An operand that crosses a line, lies in device memory or is 16 bytes long, for which the host has no such operation,
/// is changed with plain loads and stores while every other vCPU stands at a block boundary.
/// </remarks>
public sealed unsafe partial class SoftVcpu
{
    private const int LineBytes = 64;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private Outcome ExecuteLocked(MicroOp* op)
    {
        VcpuState* s = _state;
        s->InsnNow = op->Insn;
        ulong address = (*(ulong*)((byte*)s + op->Base) + (ulong)op->Disp) & s->AddressMask;
        int bytes = LockedBytes(op);
        if (bytes == 16 && (address & 15) != 0) return RaiseFault(GeneralProtection);
        bool crosses = (address & (LineBytes - 1)) + (uint)bytes > LineBytes;
        if (crosses || bytes == 16) return Exclusively(op, address, bytes);
        byte* entry = s->TlbWrite + ((address >> 8) & SoftTlb.IndexMask);
        if ((address & PageMask) == *(ulong*)entry)
        {
            ChangeLocked(op, (byte*)(address + *(ulong*)(entry + 8)));
            return Outcome.Next;
        }
        FillStatus status = Translate(address, Prot.Write, IsUser);
        if (status is FillStatus.Mmio or FillStatus.Device) return Exclusively(op, address, bytes);
        if (status != FillStatus.Ok)
        {
            RaiseMemory(status, address);
            return Outcome.Fault;
        }
        ulong offset = address & Paging.PageOffsetMask;
        uint pfn = _fill.Pfn;
        ChangeLocked(op, _fill.HostPage + offset);
        Stored(op, pfn, (int)offset, bytes);
        return Outcome.Next;
    }

    private static int LockedBytes(MicroOp* op)
    {
        if ((LockedOp)op->Sub != LockedOp.CmpxchgPair) return 1 << op->SizeLog2;
        return op->Imm != 0 ? 16 : 8;
    }

    /// <summary>Does the instruction on a copy of its operand while no other vCPU executes.</summary>
    private Outcome Exclusively(MicroOp* op, ulong address, int bytes)
    {
        // Before the others stop: this may take a fault.
        if (!CanWriteBytes(address, bytes, IsUser)) return Outcome.Fault;
        if (!_isAlone && !_memory.TryBeginExclusive())
        {
            RaiseRestart();
            return Outcome.Fault;
        }
        bool isDone = ChangeCopy(op, address, bytes);
        if (!_isAlone) _memory.EndExclusive();
        return isDone ? Outcome.Next : Outcome.Fault;
    }

    private bool ChangeCopy(MicroOp* op, ulong address, int bytes)
    {
        VcpuState* s = _state;
        ulong* copy = stackalloc ulong[2];
        copy[0] = 0;
        if (!CanWriteBytes(address, bytes, IsUser)) return false;
        ulong departures = _memory.Departures;
        ulong accesses = s->MmioAccesses;
        if (!ReadBytes(address, (byte*)copy, bytes, IsUser)) return false;
        if (_memory.Departures != departures && s->MmioAccesses == accesses)
        {
            // What was found writable may be gone, and nothing has happened yet.
            RaiseRestart();
            return false;
        }
        KeepRegisters();
        ChangeLocked(op, (byte*)copy);
        bool isDone = bytes == 16
            ? WriteBytes(op, address, (byte*)copy, bytes, IsUser)
            : SlowWrite(op, address, bytes, *copy);
        if (!isDone) TakeRegistersBack();
        return isDone;
    }

    /// <summary>The operation itself, on an operand that lies in one line, or in a copy.</summary>
    private void ChangeLocked(MicroOp* op, byte* p)
    {
        VcpuState* s = _state;
        int size = op->SizeLog2;
        if ((LockedOp)op->Sub == LockedOp.CmpxchgPair)
        {
            CompareExchangePair(op, p);
            return;
        }
        ulong b = ReadRegister(op->B, size);
        ulong old;
        if ((LockedOp)op->Sub == LockedOp.Cmpxchg)
        {
            ulong accumulator = ReadRegister(RegisterFile.Rax, size);
            old = Swap(p, size, b, accumulator);
            SetSubtraction(size, accumulator, old);
            if (old != accumulator) StoreRegister(RegisterFile.Rax, size, old);
            return;
        }
        var operation = (IntegerOp)op->Sub;
        uint kind = s->FlagKind;
        ulong flagA = s->FlagA;
        ulong flagB = s->FlagB;
        for (; ; )
        {
            old = Load(p, size);
            ulong result = Modify(operation, size, old, b) & OperandMask(size);
            if (Swap(p, size, result, old) == old) break;
            s->FlagKind = kind;
            s->FlagA = flagA;
            s->FlagB = flagB;
        }
        if (operation is IntegerOp.Xadd or IntegerOp.Exchange) StoreRegister(op->B, size, old);
    }

    private static ulong Load(byte* p, int sizeLog2) => sizeLog2 switch
    {
        0 => *p,
        1 => *(ushort*)p,
        2 => *(uint*)p,
        _ => *(ulong*)p,
    };

    private static ulong Swap(byte* p, int sizeLog2, ulong value, ulong expected) => sizeLog2 switch
    {
        0 => Interlocked.CompareExchange(ref *p, (byte)value, (byte)expected),
        1 => Interlocked.CompareExchange(ref *(ushort*)p, (ushort)value, (ushort)expected),
        2 => Interlocked.CompareExchange(ref *(uint*)p, (uint)value, (uint)expected),
        _ => Interlocked.CompareExchange(ref *(ulong*)p, value, expected),
    };

    /// <summary>CMPXCHG8B, and CMPXCHG16B on a copy.</summary>
    private void CompareExchangePair(MicroOp* op, byte* p)
    {
        VcpuState* s = _state;
        int half = op->Imm != 0 ? 3 : 2;
        UInt128 expected = Pair(RegisterFile.Rdx, RegisterFile.Rax, half);
        UInt128 desired = Pair(RegisterFile.Rcx, RegisterFile.Rbx, half);
        UInt128 current;
        if (half == 2)
        {
            current = Swap(p, 3, (ulong)desired, (ulong)expected);
        }
        else
        {
            ulong* words = (ulong*)p;
            current = (UInt128)words[1] << 64 | words[0];
            if (current == expected)
            {
                words[0] = (ulong)desired;
                words[1] = (ulong)(desired >> 64);
            }
        }
        bool isEqual = current == expected;
        if (!isEqual)
        {
            StoreRegister(RegisterFile.Rax, half, (ulong)current);
            StoreRegister(RegisterFile.Rdx, half, (ulong)(current >> (8 << half)));
        }
        ulong image = Flags.Materialize(s) & ~Flags.Zero;
        Flags.Set(s, image | (isEqual ? Flags.Zero : 0));
    }

    private UInt128 Pair(byte high, byte low, int sizeLog2) =>
        (UInt128)ReadRegister(high, sizeLog2) << (8 << sizeLog2) | ReadRegister(low, sizeLog2);
}
