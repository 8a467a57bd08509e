using System;
using System.Runtime.CompilerServices;
using System.Threading;
using Pagoda.Core;

namespace Pagoda.Machine.Cpu;

/// <summary>Locked read-modify-write instructions: one compare-and-swap on the guest's memory itself.</summary>
/// <remarks>
/// An operand that crosses a page, lies in device memory or shares its frame with decoded code is changed with a plain
/// load and store: with several host threads that is not atomic, as a split lock on a device is not either.
/// </remarks>
public sealed unsafe partial class SoftVcpu
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    private Outcome ExecuteLocked(MicroOp* op)
    {
        VcpuState* s = _state;
        ulong address = (*(ulong*)((byte*)s + op->Base) + (ulong)op->Disp) & s->AddressMask;
        if ((LockedOp)op->Sub == LockedOp.CmpxchgPair) return CompareExchangePair(op, address);
        int size = op->SizeLog2;
        int bytes = 1 << size;
        byte* p = s->TlbWrite + ((address >> 8) & Tlb.SoftTlb.IndexMask);
        if (((address + (uint)bytes - 1) & PageMask) == *(ulong*)p) p = (byte*)(address + *(ulong*)(p + 8));
        else if ((p = SlowRmw(op, address, bytes)) == null) return Outcome.Fault;
        ulong b = ReadRegister(op->B, size);
        ulong old;
        if ((LockedOp)op->Sub == LockedOp.Cmpxchg)
        {
            ulong accumulator = ReadRegister(RegisterFile.Rax, size);
            old = Swap(p, size, b, accumulator);
            SetSubtraction(size, accumulator, old);
            if (old != accumulator) StoreRegister(RegisterFile.Rax, size, old);
        }
        else
        {
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
        if (p == (byte*)&s->Scratch && !CommitRmw(op, bytes)) return Outcome.Fault;
        return Outcome.Next;
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

    /// <summary>CMPXCHG8B and CMPXCHG16B. The wide one is atomic only with one host thread.</summary>
    private Outcome CompareExchangePair(MicroOp* op, ulong address)
    {
        VcpuState* s = _state;
        int half = op->Imm != 0 ? 3 : 2;
        int bytes = 2 << half;
        if (half == 3 && (address & 15) != 0) return RaiseFault(GeneralProtection);
        if (!CanWriteBytes(address, bytes, IsUser)) return Outcome.Fault;
        ulong* memory = stackalloc ulong[2];
        memory[1] = 0;
        if (!ReadBytes(address, (byte*)memory, bytes, IsUser)) return Outcome.Fault;
        UInt128 expected = Pair(RegisterFile.Rdx, RegisterFile.Rax, half);
        UInt128 current = half == 3 ? (UInt128)memory[1] << 64 | memory[0] : memory[0];
        bool isEqual = current == expected;
        if (isEqual)
        {
            UInt128 desired = Pair(RegisterFile.Rcx, RegisterFile.Rbx, half);
            memory[0] = (ulong)desired;
            memory[1] = (ulong)(desired >> 64);
        }
        // The processor writes in both cases.
        if (!WriteBytes(op, address, (byte*)memory, bytes, IsUser)) return Outcome.Fault;
        if (!isEqual)
        {
            StoreRegister(RegisterFile.Rax, half, (ulong)current);
            StoreRegister(RegisterFile.Rdx, half, (ulong)(current >> (8 << half)));
        }
        ulong image = Flags.Materialize(s) & ~Flags.Zero;
        Flags.Set(s, image | (isEqual ? Flags.Zero : 0));
        return Outcome.Next;
    }

    private UInt128 Pair(byte high, byte low, int sizeLog2) =>
        (UInt128)ReadRegister(high, sizeLog2) << (8 << sizeLog2) | ReadRegister(low, sizeLog2);
}
