using System;
using System.Numerics;
using System.Runtime.CompilerServices;
using Pagoda.Core;
using Pagoda.Tlb;

namespace Pagoda.Machine.Cpu;

/// <summary>The interpreter's one hot loop: a switch over pre-decoded micro-ops.</summary>
/// <remarks>
/// RyuJIT gives up optimising a method above 60,000 bytes of IL, 2,000 basic blocks or some thousands of local
/// references, silently and at a cost of three times; so rare work is out of line, temporaries are shared between cases
/// and a test holds the method's size. A guest instruction is one micro-op where compilers emit it often. Registers,
/// flags and the TLB's base are read from the state: a local that lives across three hundred cases is spilled anyway,
/// and a fault in the middle finds everything in place.
/// </remarks>
public sealed unsafe partial class SoftVcpu
{
    private const ulong PageMask = ~Paging.PageOffsetMask;
    private const int Rcx = 1 * 8;
    private const int Rsp = 4 * 8;

    /// <summary>Executes from <see cref="VcpuState.Rip"/> until the slice is used up or something ends it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static VcpuExit Execute(SoftVcpu vcpu, VcpuState* s)
    {
        byte* r = (byte*)s;
        byte* arena = vcpu._cache.Arena;
        Block* block;
        MicroOp* op;
        byte* p;
        ulong ea, a, b, target;
        long low, budget;
        int count;
        Outcome outcome;
        // Most slices go on where another one began: no look-up, unless one instruction is to be executed alone.
        target = s->Rip;
        p = s->JumpCache + ((target & OpCache.JumpMask) << 4);
        if (*(ulong*)p != target || (s->ModeKey & ModeKeys.Single) != 0) goto Lookup;
        block = *(Block**)(p + 8);
        if (*block->VersionCell != block->Version) goto Lookup;
        s->RipBase = target - block->PageOffset;
        goto Found;

    Dispatch:
        for (; ; )
        {
            switch (op->Code)
            {
                case OpCode.MovRR8:
                    *(byte*)(r + op->A) = *(byte*)(r + op->B);
                    op++;
                    continue;
                case OpCode.MovRR16:
                    *(ushort*)(r + op->A) = *(ushort*)(r + op->B);
                    op++;
                    continue;
                case OpCode.MovRR32:
                    *(ulong*)(r + op->A) = *(uint*)(r + op->B);
                    op++;
                    continue;
                case OpCode.MovRR64:
                    *(ulong*)(r + op->A) = *(ulong*)(r + op->B);
                    op++;
                    continue;
                case OpCode.MovRI8:
                    *(byte*)(r + op->A) = (byte)op->Imm;
                    op++;
                    continue;
                case OpCode.MovRI16:
                    *(ushort*)(r + op->A) = (ushort)op->Imm;
                    op++;
                    continue;
                case OpCode.MovRI64:
                    *(ulong*)(r + op->A) = op->Wide;
                    op++;
                    continue;
                case OpCode.MovZx8To16:
                    *(ushort*)(r + op->A) = *(byte*)(r + op->B);
                    op++;
                    continue;
                case OpCode.MovZx8To64:
                    *(ulong*)(r + op->A) = *(byte*)(r + op->B);
                    op++;
                    continue;
                case OpCode.MovZx16To64:
                    *(ulong*)(r + op->A) = *(ushort*)(r + op->B);
                    op++;
                    continue;
                case OpCode.MovSx8To16:
                    *(short*)(r + op->A) = *(sbyte*)(r + op->B);
                    op++;
                    continue;
                case OpCode.MovSx8To32:
                    *(ulong*)(r + op->A) = (uint)*(sbyte*)(r + op->B);
                    op++;
                    continue;
                case OpCode.MovSx8To64:
                    *(ulong*)(r + op->A) = (ulong)*(sbyte*)(r + op->B);
                    op++;
                    continue;
                case OpCode.MovSx16To32:
                    *(ulong*)(r + op->A) = (uint)*(short*)(r + op->B);
                    op++;
                    continue;
                case OpCode.MovSx16To64:
                    *(ulong*)(r + op->A) = (ulong)*(short*)(r + op->B);
                    op++;
                    continue;
                case OpCode.MovSx32To64:
                    *(ulong*)(r + op->A) = (ulong)*(int*)(r + op->B);
                    op++;
                    continue;
                case OpCode.Lea64:
                    *(ulong*)(r + op->A) = *(ulong*)(r + op->Base) + (ulong)op->Disp;
                    op++;
                    continue;
                case OpCode.LeaIndex64:
                    *(ulong*)(r + op->A) = *(ulong*)(r + op->Base) + (*(ulong*)(r + op->Index) << op->Scale) +
                        (ulong)op->Disp;
                    op++;
                    continue;
                case OpCode.Lea32:
                    *(ulong*)(r + op->A) = (uint)(*(ulong*)(r + op->Base) + (ulong)op->Disp);
                    op++;
                    continue;
                case OpCode.LeaIndex32:
                    *(ulong*)(r + op->A) = (uint)(*(ulong*)(r + op->Base) + (*(ulong*)(r + op->Index) << op->Scale) +
                        (ulong)op->Disp);
                    op++;
                    continue;
                case OpCode.Lea16:
                    *(ulong*)(r + op->A) = (ushort)(*(ulong*)(r + op->Base) + (*(ulong*)(r + op->Index) << op->Scale) +
                        (ulong)op->Disp);
                    op++;
                    continue;
                case OpCode.Load8:
                    ea = (*(ulong*)(r + op->Base) + (ulong)op->Disp) & s->AddressMask;
                    p = s->TlbRead + ((ea >> 8) & SoftTlb.IndexMask);
                    if ((ea & PageMask) == *(ulong*)p) p = (byte*)(ea + *(ulong*)(p + 8));
                    else if ((p = vcpu.SlowRead(op, ea, 1)) == null) goto Fault;
                    *(byte*)(r + op->A) = *p;
                    op++;
                    continue;
                case OpCode.Load16:
                    ea = (*(ulong*)(r + op->Base) + (ulong)op->Disp) & s->AddressMask;
                    p = s->TlbRead + ((ea >> 8) & SoftTlb.IndexMask);
                    if (((ea + 1) & PageMask) == *(ulong*)p) p = (byte*)(ea + *(ulong*)(p + 8));
                    else if ((p = vcpu.SlowRead(op, ea, 2)) == null) goto Fault;
                    *(ushort*)(r + op->A) = *(ushort*)p;
                    op++;
                    continue;
                case OpCode.Load32:
                    ea = (*(ulong*)(r + op->Base) + (ulong)op->Disp) & s->AddressMask;
                    p = s->TlbRead + ((ea >> 8) & SoftTlb.IndexMask);
                    if (((ea + 3) & PageMask) == *(ulong*)p) p = (byte*)(ea + *(ulong*)(p + 8));
                    else if ((p = vcpu.SlowRead(op, ea, 4)) == null) goto Fault;
                    *(ulong*)(r + op->A) = *(uint*)p;
                    op++;
                    continue;
                case OpCode.Load64:
                    ea = (*(ulong*)(r + op->Base) + (ulong)op->Disp) & s->AddressMask;
                    p = s->TlbRead + ((ea >> 8) & SoftTlb.IndexMask);
                    if (((ea + 7) & PageMask) == *(ulong*)p) p = (byte*)(ea + *(ulong*)(p + 8));
                    else if ((p = vcpu.SlowRead(op, ea, 8)) == null) goto Fault;
                    *(ulong*)(r + op->A) = *(ulong*)p;
                    op++;
                    continue;
                case OpCode.LoadZx8:
                    ea = (*(ulong*)(r + op->Base) + (ulong)op->Disp) & s->AddressMask;
                    p = s->TlbRead + ((ea >> 8) & SoftTlb.IndexMask);
                    if ((ea & PageMask) == *(ulong*)p) p = (byte*)(ea + *(ulong*)(p + 8));
                    else if ((p = vcpu.SlowRead(op, ea, 1)) == null) goto Fault;
                    *(ulong*)(r + op->A) = *p;
                    op++;
                    continue;
                case OpCode.LoadZx16:
                    ea = (*(ulong*)(r + op->Base) + (ulong)op->Disp) & s->AddressMask;
                    p = s->TlbRead + ((ea >> 8) & SoftTlb.IndexMask);
                    if (((ea + 1) & PageMask) == *(ulong*)p) p = (byte*)(ea + *(ulong*)(p + 8));
                    else if ((p = vcpu.SlowRead(op, ea, 2)) == null) goto Fault;
                    *(ulong*)(r + op->A) = *(ushort*)p;
                    op++;
                    continue;
                case OpCode.LoadSx8To32:
                    ea = (*(ulong*)(r + op->Base) + (ulong)op->Disp) & s->AddressMask;
                    p = s->TlbRead + ((ea >> 8) & SoftTlb.IndexMask);
                    if ((ea & PageMask) == *(ulong*)p) p = (byte*)(ea + *(ulong*)(p + 8));
                    else if ((p = vcpu.SlowRead(op, ea, 1)) == null) goto Fault;
                    *(ulong*)(r + op->A) = (uint)*(sbyte*)p;
                    op++;
                    continue;
                case OpCode.LoadSx8To64:
                    ea = (*(ulong*)(r + op->Base) + (ulong)op->Disp) & s->AddressMask;
                    p = s->TlbRead + ((ea >> 8) & SoftTlb.IndexMask);
                    if ((ea & PageMask) == *(ulong*)p) p = (byte*)(ea + *(ulong*)(p + 8));
                    else if ((p = vcpu.SlowRead(op, ea, 1)) == null) goto Fault;
                    *(ulong*)(r + op->A) = (ulong)*(sbyte*)p;
                    op++;
                    continue;
                case OpCode.LoadSx16To32:
                    ea = (*(ulong*)(r + op->Base) + (ulong)op->Disp) & s->AddressMask;
                    p = s->TlbRead + ((ea >> 8) & SoftTlb.IndexMask);
                    if (((ea + 1) & PageMask) == *(ulong*)p) p = (byte*)(ea + *(ulong*)(p + 8));
                    else if ((p = vcpu.SlowRead(op, ea, 2)) == null) goto Fault;
                    *(ulong*)(r + op->A) = (uint)*(short*)p;
                    op++;
                    continue;
                case OpCode.LoadSx16To64:
                    ea = (*(ulong*)(r + op->Base) + (ulong)op->Disp) & s->AddressMask;
                    p = s->TlbRead + ((ea >> 8) & SoftTlb.IndexMask);
                    if (((ea + 1) & PageMask) == *(ulong*)p) p = (byte*)(ea + *(ulong*)(p + 8));
                    else if ((p = vcpu.SlowRead(op, ea, 2)) == null) goto Fault;
                    *(ulong*)(r + op->A) = (ulong)*(short*)p;
                    op++;
                    continue;
                case OpCode.LoadSx32To64:
                    ea = (*(ulong*)(r + op->Base) + (ulong)op->Disp) & s->AddressMask;
                    p = s->TlbRead + ((ea >> 8) & SoftTlb.IndexMask);
                    if (((ea + 3) & PageMask) == *(ulong*)p) p = (byte*)(ea + *(ulong*)(p + 8));
                    else if ((p = vcpu.SlowRead(op, ea, 4)) == null) goto Fault;
                    *(ulong*)(r + op->A) = (ulong)*(int*)p;
                    op++;
                    continue;
                case OpCode.Load8Index:
                    ea = (*(ulong*)(r + op->Base) + (*(ulong*)(r + op->Index) << op->Scale) + (ulong)op->Disp) &
                        s->AddressMask;
                    p = s->TlbRead + ((ea >> 8) & SoftTlb.IndexMask);
                    if ((ea & PageMask) == *(ulong*)p) p = (byte*)(ea + *(ulong*)(p + 8));
                    else if ((p = vcpu.SlowRead(op, ea, 1)) == null) goto Fault;
                    *(byte*)(r + op->A) = *p;
                    op++;
                    continue;
                case OpCode.Load16Index:
                    ea = (*(ulong*)(r + op->Base) + (*(ulong*)(r + op->Index) << op->Scale) + (ulong)op->Disp) &
                        s->AddressMask;
                    p = s->TlbRead + ((ea >> 8) & SoftTlb.IndexMask);
                    if (((ea + 1) & PageMask) == *(ulong*)p) p = (byte*)(ea + *(ulong*)(p + 8));
                    else if ((p = vcpu.SlowRead(op, ea, 2)) == null) goto Fault;
                    *(ushort*)(r + op->A) = *(ushort*)p;
                    op++;
                    continue;
                case OpCode.Load32Index:
                    ea = (*(ulong*)(r + op->Base) + (*(ulong*)(r + op->Index) << op->Scale) + (ulong)op->Disp) &
                        s->AddressMask;
                    p = s->TlbRead + ((ea >> 8) & SoftTlb.IndexMask);
                    if (((ea + 3) & PageMask) == *(ulong*)p) p = (byte*)(ea + *(ulong*)(p + 8));
                    else if ((p = vcpu.SlowRead(op, ea, 4)) == null) goto Fault;
                    *(ulong*)(r + op->A) = *(uint*)p;
                    op++;
                    continue;
                case OpCode.Load64Index:
                    ea = (*(ulong*)(r + op->Base) + (*(ulong*)(r + op->Index) << op->Scale) + (ulong)op->Disp) &
                        s->AddressMask;
                    p = s->TlbRead + ((ea >> 8) & SoftTlb.IndexMask);
                    if (((ea + 7) & PageMask) == *(ulong*)p) p = (byte*)(ea + *(ulong*)(p + 8));
                    else if ((p = vcpu.SlowRead(op, ea, 8)) == null) goto Fault;
                    *(ulong*)(r + op->A) = *(ulong*)p;
                    op++;
                    continue;
                case OpCode.LoadZx8Index:
                    ea = (*(ulong*)(r + op->Base) + (*(ulong*)(r + op->Index) << op->Scale) + (ulong)op->Disp) &
                        s->AddressMask;
                    p = s->TlbRead + ((ea >> 8) & SoftTlb.IndexMask);
                    if ((ea & PageMask) == *(ulong*)p) p = (byte*)(ea + *(ulong*)(p + 8));
                    else if ((p = vcpu.SlowRead(op, ea, 1)) == null) goto Fault;
                    *(ulong*)(r + op->A) = *p;
                    op++;
                    continue;
                case OpCode.LoadZx16Index:
                    ea = (*(ulong*)(r + op->Base) + (*(ulong*)(r + op->Index) << op->Scale) + (ulong)op->Disp) &
                        s->AddressMask;
                    p = s->TlbRead + ((ea >> 8) & SoftTlb.IndexMask);
                    if (((ea + 1) & PageMask) == *(ulong*)p) p = (byte*)(ea + *(ulong*)(p + 8));
                    else if ((p = vcpu.SlowRead(op, ea, 2)) == null) goto Fault;
                    *(ulong*)(r + op->A) = *(ushort*)p;
                    op++;
                    continue;
                case OpCode.LoadSx32To64Index:
                    ea = (*(ulong*)(r + op->Base) + (*(ulong*)(r + op->Index) << op->Scale) + (ulong)op->Disp) &
                        s->AddressMask;
                    p = s->TlbRead + ((ea >> 8) & SoftTlb.IndexMask);
                    if (((ea + 3) & PageMask) == *(ulong*)p) p = (byte*)(ea + *(ulong*)(p + 8));
                    else if ((p = vcpu.SlowRead(op, ea, 4)) == null) goto Fault;
                    *(ulong*)(r + op->A) = (ulong)*(int*)p;
                    op++;
                    continue;
                case OpCode.Store8:
                    ea = (*(ulong*)(r + op->Base) + (ulong)op->Disp) & s->AddressMask;
                    p = s->TlbWrite + ((ea >> 8) & SoftTlb.IndexMask);
                    if ((ea & PageMask) == *(ulong*)p) *(byte*)(ea + *(ulong*)(p + 8)) = *(byte*)(r + op->A);
                    else if (!vcpu.SlowWrite(op, ea, 1, *(byte*)(r + op->A))) goto Fault;
                    op++;
                    continue;
                case OpCode.Store16:
                    ea = (*(ulong*)(r + op->Base) + (ulong)op->Disp) & s->AddressMask;
                    p = s->TlbWrite + ((ea >> 8) & SoftTlb.IndexMask);
                    if (((ea + 1) & PageMask) == *(ulong*)p) *(ushort*)(ea + *(ulong*)(p + 8)) = *(ushort*)(r + op->A);
                    else if (!vcpu.SlowWrite(op, ea, 2, *(ushort*)(r + op->A))) goto Fault;
                    op++;
                    continue;
                case OpCode.Store32:
                    ea = (*(ulong*)(r + op->Base) + (ulong)op->Disp) & s->AddressMask;
                    p = s->TlbWrite + ((ea >> 8) & SoftTlb.IndexMask);
                    if (((ea + 3) & PageMask) == *(ulong*)p) *(uint*)(ea + *(ulong*)(p + 8)) = *(uint*)(r + op->A);
                    else if (!vcpu.SlowWrite(op, ea, 4, *(uint*)(r + op->A))) goto Fault;
                    op++;
                    continue;
                case OpCode.Store64:
                    ea = (*(ulong*)(r + op->Base) + (ulong)op->Disp) & s->AddressMask;
                    p = s->TlbWrite + ((ea >> 8) & SoftTlb.IndexMask);
                    if (((ea + 7) & PageMask) == *(ulong*)p) *(ulong*)(ea + *(ulong*)(p + 8)) = *(ulong*)(r + op->A);
                    else if (!vcpu.SlowWrite(op, ea, 8, *(ulong*)(r + op->A))) goto Fault;
                    op++;
                    continue;
                case OpCode.Store8Index:
                    ea = (*(ulong*)(r + op->Base) + (*(ulong*)(r + op->Index) << op->Scale) + (ulong)op->Disp) &
                        s->AddressMask;
                    p = s->TlbWrite + ((ea >> 8) & SoftTlb.IndexMask);
                    if ((ea & PageMask) == *(ulong*)p) *(byte*)(ea + *(ulong*)(p + 8)) = *(byte*)(r + op->A);
                    else if (!vcpu.SlowWrite(op, ea, 1, *(byte*)(r + op->A))) goto Fault;
                    op++;
                    continue;
                case OpCode.Store16Index:
                    ea = (*(ulong*)(r + op->Base) + (*(ulong*)(r + op->Index) << op->Scale) + (ulong)op->Disp) &
                        s->AddressMask;
                    p = s->TlbWrite + ((ea >> 8) & SoftTlb.IndexMask);
                    if (((ea + 1) & PageMask) == *(ulong*)p) *(ushort*)(ea + *(ulong*)(p + 8)) = *(ushort*)(r + op->A);
                    else if (!vcpu.SlowWrite(op, ea, 2, *(ushort*)(r + op->A))) goto Fault;
                    op++;
                    continue;
                case OpCode.Store32Index:
                    ea = (*(ulong*)(r + op->Base) + (*(ulong*)(r + op->Index) << op->Scale) + (ulong)op->Disp) &
                        s->AddressMask;
                    p = s->TlbWrite + ((ea >> 8) & SoftTlb.IndexMask);
                    if (((ea + 3) & PageMask) == *(ulong*)p) *(uint*)(ea + *(ulong*)(p + 8)) = *(uint*)(r + op->A);
                    else if (!vcpu.SlowWrite(op, ea, 4, *(uint*)(r + op->A))) goto Fault;
                    op++;
                    continue;
                case OpCode.Store64Index:
                    ea = (*(ulong*)(r + op->Base) + (*(ulong*)(r + op->Index) << op->Scale) + (ulong)op->Disp) &
                        s->AddressMask;
                    p = s->TlbWrite + ((ea >> 8) & SoftTlb.IndexMask);
                    if (((ea + 7) & PageMask) == *(ulong*)p) *(ulong*)(ea + *(ulong*)(p + 8)) = *(ulong*)(r + op->A);
                    else if (!vcpu.SlowWrite(op, ea, 8, *(ulong*)(r + op->A))) goto Fault;
                    op++;
                    continue;
                case OpCode.StoreImm8:
                    ea = (*(ulong*)(r + op->Base) + (ulong)op->Disp) & s->AddressMask;
                    p = s->TlbWrite + ((ea >> 8) & SoftTlb.IndexMask);
                    if ((ea & PageMask) == *(ulong*)p) *(byte*)(ea + *(ulong*)(p + 8)) = (byte)op->Imm;
                    else if (!vcpu.SlowWrite(op, ea, 1, (byte)op->Imm)) goto Fault;
                    op++;
                    continue;
                case OpCode.StoreImm16:
                    ea = (*(ulong*)(r + op->Base) + (ulong)op->Disp) & s->AddressMask;
                    p = s->TlbWrite + ((ea >> 8) & SoftTlb.IndexMask);
                    if (((ea + 1) & PageMask) == *(ulong*)p) *(ushort*)(ea + *(ulong*)(p + 8)) = (ushort)op->Imm;
                    else if (!vcpu.SlowWrite(op, ea, 2, (ushort)op->Imm)) goto Fault;
                    op++;
                    continue;
                case OpCode.StoreImm32:
                    ea = (*(ulong*)(r + op->Base) + (ulong)op->Disp) & s->AddressMask;
                    p = s->TlbWrite + ((ea >> 8) & SoftTlb.IndexMask);
                    if (((ea + 3) & PageMask) == *(ulong*)p) *(uint*)(ea + *(ulong*)(p + 8)) = (uint)op->Imm;
                    else if (!vcpu.SlowWrite(op, ea, 4, (uint)op->Imm)) goto Fault;
                    op++;
                    continue;
                case OpCode.StoreImm64:
                    ea = (*(ulong*)(r + op->Base) + (ulong)op->Disp) & s->AddressMask;
                    p = s->TlbWrite + ((ea >> 8) & SoftTlb.IndexMask);
                    if (((ea + 7) & PageMask) == *(ulong*)p) *(ulong*)(ea + *(ulong*)(p + 8)) = (ulong)op->Imm;
                    else if (!vcpu.SlowWrite(op, ea, 8, (ulong)op->Imm)) goto Fault;
                    op++;
                    continue;
                case OpCode.RmwLoad8:
                    ea = (*(ulong*)(r + op->Base) + (ulong)op->Disp) & s->AddressMask;
                    p = s->TlbWrite + ((ea >> 8) & SoftTlb.IndexMask);
                    if ((ea & PageMask) == *(ulong*)p) p = (byte*)(ea + *(ulong*)(p + 8));
                    else if ((p = vcpu.SlowRmw(op, ea, 1)) == null) goto Fault;
                    s->RmwPointer = p;
                    *(ulong*)(r + op->A) = *(byte*)p;
                    op++;
                    continue;
                case OpCode.RmwLoad16:
                    ea = (*(ulong*)(r + op->Base) + (ulong)op->Disp) & s->AddressMask;
                    p = s->TlbWrite + ((ea >> 8) & SoftTlb.IndexMask);
                    if (((ea + 1) & PageMask) == *(ulong*)p) p = (byte*)(ea + *(ulong*)(p + 8));
                    else if ((p = vcpu.SlowRmw(op, ea, 2)) == null) goto Fault;
                    s->RmwPointer = p;
                    *(ulong*)(r + op->A) = *(ushort*)p;
                    op++;
                    continue;
                case OpCode.RmwLoad32:
                    ea = (*(ulong*)(r + op->Base) + (ulong)op->Disp) & s->AddressMask;
                    p = s->TlbWrite + ((ea >> 8) & SoftTlb.IndexMask);
                    if (((ea + 3) & PageMask) == *(ulong*)p) p = (byte*)(ea + *(ulong*)(p + 8));
                    else if ((p = vcpu.SlowRmw(op, ea, 4)) == null) goto Fault;
                    s->RmwPointer = p;
                    *(ulong*)(r + op->A) = *(uint*)p;
                    op++;
                    continue;
                case OpCode.RmwLoad64:
                    ea = (*(ulong*)(r + op->Base) + (ulong)op->Disp) & s->AddressMask;
                    p = s->TlbWrite + ((ea >> 8) & SoftTlb.IndexMask);
                    if (((ea + 7) & PageMask) == *(ulong*)p) p = (byte*)(ea + *(ulong*)(p + 8));
                    else if ((p = vcpu.SlowRmw(op, ea, 8)) == null) goto Fault;
                    s->RmwPointer = p;
                    *(ulong*)(r + op->A) = *(ulong*)p;
                    op++;
                    continue;
                case OpCode.RmwStore8:
                    p = s->RmwPointer;
                    *(byte*)p = *(byte*)(r + op->A);
                    if (p == (byte*)&s->Scratch && !vcpu.CommitRmw(op, 1)) goto Fault;
                    op++;
                    continue;
                case OpCode.RmwStore16:
                    p = s->RmwPointer;
                    *(ushort*)p = *(ushort*)(r + op->A);
                    if (p == (byte*)&s->Scratch && !vcpu.CommitRmw(op, 2)) goto Fault;
                    op++;
                    continue;
                case OpCode.RmwStore32:
                    p = s->RmwPointer;
                    *(uint*)p = *(uint*)(r + op->A);
                    if (p == (byte*)&s->Scratch && !vcpu.CommitRmw(op, 4)) goto Fault;
                    op++;
                    continue;
                case OpCode.RmwStore64:
                    p = s->RmwPointer;
                    *(ulong*)p = *(ulong*)(r + op->A);
                    if (p == (byte*)&s->Scratch && !vcpu.CommitRmw(op, 8)) goto Fault;
                    op++;
                    continue;
                case OpCode.AddRR8:
                    a = (ulong)*(sbyte*)(r + op->A);
                    b = (ulong)*(sbyte*)(r + op->B);
                    a += b;
                    *(byte*)(r + op->A) = (byte)a;
                    s->FlagA = (ulong)(sbyte)a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Add8;
                    op++;
                    continue;
                case OpCode.AddRR16:
                    a = (ulong)*(short*)(r + op->A);
                    b = (ulong)*(short*)(r + op->B);
                    a += b;
                    *(ushort*)(r + op->A) = (ushort)a;
                    s->FlagA = (ulong)(short)a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Add16;
                    op++;
                    continue;
                case OpCode.AddRR32:
                    a = (ulong)*(int*)(r + op->A);
                    b = (ulong)*(int*)(r + op->B);
                    a += b;
                    *(ulong*)(r + op->A) = (uint)a;
                    s->FlagA = (ulong)(int)a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Add32;
                    op++;
                    continue;
                case OpCode.AddRR64:
                    a = *(ulong*)(r + op->A);
                    b = *(ulong*)(r + op->B);
                    a += b;
                    *(ulong*)(r + op->A) = a;
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Add64;
                    op++;
                    continue;
                case OpCode.AddRI8:
                    a = (ulong)*(sbyte*)(r + op->A);
                    b = (ulong)op->Imm;
                    a += b;
                    *(byte*)(r + op->A) = (byte)a;
                    s->FlagA = (ulong)(sbyte)a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Add8;
                    op++;
                    continue;
                case OpCode.AddRI16:
                    a = (ulong)*(short*)(r + op->A);
                    b = (ulong)op->Imm;
                    a += b;
                    *(ushort*)(r + op->A) = (ushort)a;
                    s->FlagA = (ulong)(short)a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Add16;
                    op++;
                    continue;
                case OpCode.AddRI32:
                    a = (ulong)*(int*)(r + op->A);
                    b = (ulong)op->Imm;
                    a += b;
                    *(ulong*)(r + op->A) = (uint)a;
                    s->FlagA = (ulong)(int)a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Add32;
                    op++;
                    continue;
                case OpCode.AddRI64:
                    a = *(ulong*)(r + op->A);
                    b = (ulong)op->Imm;
                    a += b;
                    *(ulong*)(r + op->A) = a;
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Add64;
                    op++;
                    continue;
                case OpCode.OrRR8:
                    a = (ulong)*(sbyte*)(r + op->A);
                    b = (ulong)*(sbyte*)(r + op->B);
                    a |= b;
                    *(byte*)(r + op->A) = (byte)a;
                    s->FlagA = a;
                    s->FlagB = 0;
                    s->FlagKind = Flags.Logic;
                    op++;
                    continue;
                case OpCode.OrRR16:
                    a = (ulong)*(short*)(r + op->A);
                    b = (ulong)*(short*)(r + op->B);
                    a |= b;
                    *(ushort*)(r + op->A) = (ushort)a;
                    s->FlagA = a;
                    s->FlagB = 0;
                    s->FlagKind = Flags.Logic;
                    op++;
                    continue;
                case OpCode.OrRR32:
                    a = (ulong)*(int*)(r + op->A);
                    b = (ulong)*(int*)(r + op->B);
                    a |= b;
                    *(ulong*)(r + op->A) = (uint)a;
                    s->FlagA = a;
                    s->FlagB = 0;
                    s->FlagKind = Flags.Logic;
                    op++;
                    continue;
                case OpCode.OrRR64:
                    a = *(ulong*)(r + op->A);
                    b = *(ulong*)(r + op->B);
                    a |= b;
                    *(ulong*)(r + op->A) = a;
                    s->FlagA = a;
                    s->FlagB = 0;
                    s->FlagKind = Flags.Logic;
                    op++;
                    continue;
                case OpCode.OrRI8:
                    a = (ulong)*(sbyte*)(r + op->A);
                    b = (ulong)op->Imm;
                    a |= b;
                    *(byte*)(r + op->A) = (byte)a;
                    s->FlagA = a;
                    s->FlagB = 0;
                    s->FlagKind = Flags.Logic;
                    op++;
                    continue;
                case OpCode.OrRI16:
                    a = (ulong)*(short*)(r + op->A);
                    b = (ulong)op->Imm;
                    a |= b;
                    *(ushort*)(r + op->A) = (ushort)a;
                    s->FlagA = a;
                    s->FlagB = 0;
                    s->FlagKind = Flags.Logic;
                    op++;
                    continue;
                case OpCode.OrRI32:
                    a = (ulong)*(int*)(r + op->A);
                    b = (ulong)op->Imm;
                    a |= b;
                    *(ulong*)(r + op->A) = (uint)a;
                    s->FlagA = a;
                    s->FlagB = 0;
                    s->FlagKind = Flags.Logic;
                    op++;
                    continue;
                case OpCode.OrRI64:
                    a = *(ulong*)(r + op->A);
                    b = (ulong)op->Imm;
                    a |= b;
                    *(ulong*)(r + op->A) = a;
                    s->FlagA = a;
                    s->FlagB = 0;
                    s->FlagKind = Flags.Logic;
                    op++;
                    continue;
                case OpCode.AndRR8:
                    a = (ulong)*(sbyte*)(r + op->A);
                    b = (ulong)*(sbyte*)(r + op->B);
                    a &= b;
                    *(byte*)(r + op->A) = (byte)a;
                    s->FlagA = a;
                    s->FlagB = 0;
                    s->FlagKind = Flags.Logic;
                    op++;
                    continue;
                case OpCode.AndRR16:
                    a = (ulong)*(short*)(r + op->A);
                    b = (ulong)*(short*)(r + op->B);
                    a &= b;
                    *(ushort*)(r + op->A) = (ushort)a;
                    s->FlagA = a;
                    s->FlagB = 0;
                    s->FlagKind = Flags.Logic;
                    op++;
                    continue;
                case OpCode.AndRR32:
                    a = (ulong)*(int*)(r + op->A);
                    b = (ulong)*(int*)(r + op->B);
                    a &= b;
                    *(ulong*)(r + op->A) = (uint)a;
                    s->FlagA = a;
                    s->FlagB = 0;
                    s->FlagKind = Flags.Logic;
                    op++;
                    continue;
                case OpCode.AndRR64:
                    a = *(ulong*)(r + op->A);
                    b = *(ulong*)(r + op->B);
                    a &= b;
                    *(ulong*)(r + op->A) = a;
                    s->FlagA = a;
                    s->FlagB = 0;
                    s->FlagKind = Flags.Logic;
                    op++;
                    continue;
                case OpCode.AndRI8:
                    a = (ulong)*(sbyte*)(r + op->A);
                    b = (ulong)op->Imm;
                    a &= b;
                    *(byte*)(r + op->A) = (byte)a;
                    s->FlagA = a;
                    s->FlagB = 0;
                    s->FlagKind = Flags.Logic;
                    op++;
                    continue;
                case OpCode.AndRI16:
                    a = (ulong)*(short*)(r + op->A);
                    b = (ulong)op->Imm;
                    a &= b;
                    *(ushort*)(r + op->A) = (ushort)a;
                    s->FlagA = a;
                    s->FlagB = 0;
                    s->FlagKind = Flags.Logic;
                    op++;
                    continue;
                case OpCode.AndRI32:
                    a = (ulong)*(int*)(r + op->A);
                    b = (ulong)op->Imm;
                    a &= b;
                    *(ulong*)(r + op->A) = (uint)a;
                    s->FlagA = a;
                    s->FlagB = 0;
                    s->FlagKind = Flags.Logic;
                    op++;
                    continue;
                case OpCode.AndRI64:
                    a = *(ulong*)(r + op->A);
                    b = (ulong)op->Imm;
                    a &= b;
                    *(ulong*)(r + op->A) = a;
                    s->FlagA = a;
                    s->FlagB = 0;
                    s->FlagKind = Flags.Logic;
                    op++;
                    continue;
                case OpCode.SubRR8:
                    a = (ulong)*(sbyte*)(r + op->A);
                    b = (ulong)*(sbyte*)(r + op->B);
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub8;
                    *(byte*)(r + op->A) = (byte)(a - b);
                    op++;
                    continue;
                case OpCode.SubRR16:
                    a = (ulong)*(short*)(r + op->A);
                    b = (ulong)*(short*)(r + op->B);
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub16;
                    *(ushort*)(r + op->A) = (ushort)(a - b);
                    op++;
                    continue;
                case OpCode.SubRR32:
                    a = (ulong)*(int*)(r + op->A);
                    b = (ulong)*(int*)(r + op->B);
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub32;
                    *(ulong*)(r + op->A) = (uint)(a - b);
                    op++;
                    continue;
                case OpCode.SubRR64:
                    a = *(ulong*)(r + op->A);
                    b = *(ulong*)(r + op->B);
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub64;
                    *(ulong*)(r + op->A) = (a - b);
                    op++;
                    continue;
                case OpCode.SubRI8:
                    a = (ulong)*(sbyte*)(r + op->A);
                    b = (ulong)op->Imm;
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub8;
                    *(byte*)(r + op->A) = (byte)(a - b);
                    op++;
                    continue;
                case OpCode.SubRI16:
                    a = (ulong)*(short*)(r + op->A);
                    b = (ulong)op->Imm;
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub16;
                    *(ushort*)(r + op->A) = (ushort)(a - b);
                    op++;
                    continue;
                case OpCode.SubRI32:
                    a = (ulong)*(int*)(r + op->A);
                    b = (ulong)op->Imm;
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub32;
                    *(ulong*)(r + op->A) = (uint)(a - b);
                    op++;
                    continue;
                case OpCode.SubRI64:
                    a = *(ulong*)(r + op->A);
                    b = (ulong)op->Imm;
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub64;
                    *(ulong*)(r + op->A) = (a - b);
                    op++;
                    continue;
                case OpCode.XorRR8:
                    a = (ulong)*(sbyte*)(r + op->A);
                    b = (ulong)*(sbyte*)(r + op->B);
                    a ^= b;
                    *(byte*)(r + op->A) = (byte)a;
                    s->FlagA = a;
                    s->FlagB = 0;
                    s->FlagKind = Flags.Logic;
                    op++;
                    continue;
                case OpCode.XorRR16:
                    a = (ulong)*(short*)(r + op->A);
                    b = (ulong)*(short*)(r + op->B);
                    a ^= b;
                    *(ushort*)(r + op->A) = (ushort)a;
                    s->FlagA = a;
                    s->FlagB = 0;
                    s->FlagKind = Flags.Logic;
                    op++;
                    continue;
                case OpCode.XorRR32:
                    a = (ulong)*(int*)(r + op->A);
                    b = (ulong)*(int*)(r + op->B);
                    a ^= b;
                    *(ulong*)(r + op->A) = (uint)a;
                    s->FlagA = a;
                    s->FlagB = 0;
                    s->FlagKind = Flags.Logic;
                    op++;
                    continue;
                case OpCode.XorRR64:
                    a = *(ulong*)(r + op->A);
                    b = *(ulong*)(r + op->B);
                    a ^= b;
                    *(ulong*)(r + op->A) = a;
                    s->FlagA = a;
                    s->FlagB = 0;
                    s->FlagKind = Flags.Logic;
                    op++;
                    continue;
                case OpCode.XorRI8:
                    a = (ulong)*(sbyte*)(r + op->A);
                    b = (ulong)op->Imm;
                    a ^= b;
                    *(byte*)(r + op->A) = (byte)a;
                    s->FlagA = a;
                    s->FlagB = 0;
                    s->FlagKind = Flags.Logic;
                    op++;
                    continue;
                case OpCode.XorRI16:
                    a = (ulong)*(short*)(r + op->A);
                    b = (ulong)op->Imm;
                    a ^= b;
                    *(ushort*)(r + op->A) = (ushort)a;
                    s->FlagA = a;
                    s->FlagB = 0;
                    s->FlagKind = Flags.Logic;
                    op++;
                    continue;
                case OpCode.XorRI32:
                    a = (ulong)*(int*)(r + op->A);
                    b = (ulong)op->Imm;
                    a ^= b;
                    *(ulong*)(r + op->A) = (uint)a;
                    s->FlagA = a;
                    s->FlagB = 0;
                    s->FlagKind = Flags.Logic;
                    op++;
                    continue;
                case OpCode.XorRI64:
                    a = *(ulong*)(r + op->A);
                    b = (ulong)op->Imm;
                    a ^= b;
                    *(ulong*)(r + op->A) = a;
                    s->FlagA = a;
                    s->FlagB = 0;
                    s->FlagKind = Flags.Logic;
                    op++;
                    continue;
                case OpCode.CmpRR8:
                    a = (ulong)*(sbyte*)(r + op->A);
                    b = (ulong)*(sbyte*)(r + op->B);
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub8;
                    op++;
                    continue;
                case OpCode.CmpRR16:
                    a = (ulong)*(short*)(r + op->A);
                    b = (ulong)*(short*)(r + op->B);
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub16;
                    op++;
                    continue;
                case OpCode.CmpRR32:
                    a = (ulong)*(int*)(r + op->A);
                    b = (ulong)*(int*)(r + op->B);
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub32;
                    op++;
                    continue;
                case OpCode.CmpRR64:
                    a = *(ulong*)(r + op->A);
                    b = *(ulong*)(r + op->B);
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub64;
                    op++;
                    continue;
                case OpCode.CmpRI8:
                    a = (ulong)*(sbyte*)(r + op->A);
                    b = (ulong)op->Imm;
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub8;
                    op++;
                    continue;
                case OpCode.CmpRI16:
                    a = (ulong)*(short*)(r + op->A);
                    b = (ulong)op->Imm;
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub16;
                    op++;
                    continue;
                case OpCode.CmpRI32:
                    a = (ulong)*(int*)(r + op->A);
                    b = (ulong)op->Imm;
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub32;
                    op++;
                    continue;
                case OpCode.CmpRI64:
                    a = *(ulong*)(r + op->A);
                    b = (ulong)op->Imm;
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub64;
                    op++;
                    continue;
                case OpCode.TestRR8:
                    a = (ulong)*(sbyte*)(r + op->A);
                    b = (ulong)*(sbyte*)(r + op->B);
                    s->FlagA = a & b;
                    s->FlagB = 0;
                    s->FlagKind = Flags.Logic;
                    op++;
                    continue;
                case OpCode.TestRR16:
                    a = (ulong)*(short*)(r + op->A);
                    b = (ulong)*(short*)(r + op->B);
                    s->FlagA = a & b;
                    s->FlagB = 0;
                    s->FlagKind = Flags.Logic;
                    op++;
                    continue;
                case OpCode.TestRR32:
                    a = (ulong)*(int*)(r + op->A);
                    b = (ulong)*(int*)(r + op->B);
                    s->FlagA = a & b;
                    s->FlagB = 0;
                    s->FlagKind = Flags.Logic;
                    op++;
                    continue;
                case OpCode.TestRR64:
                    a = *(ulong*)(r + op->A);
                    b = *(ulong*)(r + op->B);
                    s->FlagA = a & b;
                    s->FlagB = 0;
                    s->FlagKind = Flags.Logic;
                    op++;
                    continue;
                case OpCode.TestRI8:
                    a = (ulong)*(sbyte*)(r + op->A);
                    b = (ulong)op->Imm;
                    s->FlagA = a & b;
                    s->FlagB = 0;
                    s->FlagKind = Flags.Logic;
                    op++;
                    continue;
                case OpCode.TestRI16:
                    a = (ulong)*(short*)(r + op->A);
                    b = (ulong)op->Imm;
                    s->FlagA = a & b;
                    s->FlagB = 0;
                    s->FlagKind = Flags.Logic;
                    op++;
                    continue;
                case OpCode.TestRI32:
                    a = (ulong)*(int*)(r + op->A);
                    b = (ulong)op->Imm;
                    s->FlagA = a & b;
                    s->FlagB = 0;
                    s->FlagKind = Flags.Logic;
                    op++;
                    continue;
                case OpCode.TestRI64:
                    a = *(ulong*)(r + op->A);
                    b = (ulong)op->Imm;
                    s->FlagA = a & b;
                    s->FlagB = 0;
                    s->FlagKind = Flags.Logic;
                    op++;
                    continue;
                case OpCode.AndQuiet32:
                    *(ulong*)(r + op->A) = *(uint*)(r + op->A) & *(uint*)(r + op->B);
                    op++;
                    continue;
                case OpCode.AndQuiet64:
                    *(ulong*)(r + op->A) = *(ulong*)(r + op->A) & *(ulong*)(r + op->B);
                    op++;
                    continue;
                case OpCode.OrQuiet32:
                    *(ulong*)(r + op->A) = *(uint*)(r + op->A) | *(uint*)(r + op->B);
                    op++;
                    continue;
                case OpCode.OrQuiet64:
                    *(ulong*)(r + op->A) = *(ulong*)(r + op->A) | *(ulong*)(r + op->B);
                    op++;
                    continue;
                case OpCode.XorQuiet32:
                    *(ulong*)(r + op->A) = *(uint*)(r + op->A) ^ *(uint*)(r + op->B);
                    op++;
                    continue;
                case OpCode.XorQuiet64:
                    *(ulong*)(r + op->A) = *(ulong*)(r + op->A) ^ *(ulong*)(r + op->B);
                    op++;
                    continue;
                case OpCode.SubQuiet32:
                    *(ulong*)(r + op->A) = *(uint*)(r + op->A) - *(uint*)(r + op->B);
                    op++;
                    continue;
                case OpCode.SubQuiet64:
                    *(ulong*)(r + op->A) = *(ulong*)(r + op->A) - *(ulong*)(r + op->B);
                    op++;
                    continue;
                case OpCode.AndImmQuiet32:
                    *(ulong*)(r + op->A) = *(uint*)(r + op->A) & (uint)op->Imm;
                    op++;
                    continue;
                case OpCode.AndImmQuiet64:
                    *(ulong*)(r + op->A) = *(ulong*)(r + op->A) & (ulong)op->Imm;
                    op++;
                    continue;
                case OpCode.ShlQuiet32:
                    *(ulong*)(r + op->A) = *(uint*)(r + op->B) << op->Imm;
                    op++;
                    continue;
                case OpCode.ShlQuiet64:
                    *(ulong*)(r + op->A) = *(ulong*)(r + op->B) << op->Imm;
                    op++;
                    continue;
                case OpCode.ShrQuiet32:
                    *(ulong*)(r + op->A) = *(uint*)(r + op->B) >> op->Imm;
                    op++;
                    continue;
                case OpCode.ShrQuiet64:
                    *(ulong*)(r + op->A) = *(ulong*)(r + op->B) >> op->Imm;
                    op++;
                    continue;
                case OpCode.SarQuiet32:
                    *(ulong*)(r + op->A) = (uint)(*(int*)(r + op->B) >> op->Imm);
                    op++;
                    continue;
                case OpCode.SarQuiet64:
                    *(ulong*)(r + op->A) = (ulong)(*(long*)(r + op->B) >> op->Imm);
                    op++;
                    continue;
                case OpCode.RolQuiet32:
                    *(ulong*)(r + op->A) = BitOperations.RotateLeft(*(uint*)(r + op->B), op->Imm);
                    op++;
                    continue;
                case OpCode.RolQuiet64:
                    *(ulong*)(r + op->A) = BitOperations.RotateLeft(*(ulong*)(r + op->B), op->Imm);
                    op++;
                    continue;
                case OpCode.Inc8:
                    b = s->FlagKind < Flags.FirstBits ? (s->FlagA < s->FlagB ? 1UL : 0UL) : Flags.CarryOf(s);
                    a = (ulong)*(sbyte*)(r + op->A) + 1;
                    *(byte*)(r + op->A) = (byte)a;
                    if ((sbyte)a == sbyte.MinValue) b |= Flags.Overflow;
                    if ((a & 15) == 0) b |= Flags.Adjust;
                    s->FlagA = (ulong)(sbyte)a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Result;
                    op++;
                    continue;
                case OpCode.Inc32:
                    b = s->FlagKind < Flags.FirstBits ? (s->FlagA < s->FlagB ? 1UL : 0UL) : Flags.CarryOf(s);
                    a = (ulong)*(int*)(r + op->A) + 1;
                    *(ulong*)(r + op->A) = (uint)a;
                    if ((int)a == int.MinValue) b |= Flags.Overflow;
                    if ((a & 15) == 0) b |= Flags.Adjust;
                    s->FlagA = (ulong)(int)a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Result;
                    op++;
                    continue;
                case OpCode.Inc64:
                    b = s->FlagKind < Flags.FirstBits ? (s->FlagA < s->FlagB ? 1UL : 0UL) : Flags.CarryOf(s);
                    a = *(ulong*)(r + op->A) + 1;
                    *(ulong*)(r + op->A) = a;
                    if ((long)a == long.MinValue) b |= Flags.Overflow;
                    if ((a & 15) == 0) b |= Flags.Adjust;
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Result;
                    op++;
                    continue;
                case OpCode.Dec8:
                    b = s->FlagKind < Flags.FirstBits ? (s->FlagA < s->FlagB ? 1UL : 0UL) : Flags.CarryOf(s);
                    a = (ulong)*(sbyte*)(r + op->A) - 1;
                    *(byte*)(r + op->A) = (byte)a;
                    if ((sbyte)a == sbyte.MaxValue) b |= Flags.Overflow;
                    if ((a & 15) == 15) b |= Flags.Adjust;
                    s->FlagA = (ulong)(sbyte)a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Result;
                    op++;
                    continue;
                case OpCode.Dec32:
                    b = s->FlagKind < Flags.FirstBits ? (s->FlagA < s->FlagB ? 1UL : 0UL) : Flags.CarryOf(s);
                    a = (ulong)*(int*)(r + op->A) - 1;
                    *(ulong*)(r + op->A) = (uint)a;
                    if ((int)a == int.MaxValue) b |= Flags.Overflow;
                    if ((a & 15) == 15) b |= Flags.Adjust;
                    s->FlagA = (ulong)(int)a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Result;
                    op++;
                    continue;
                case OpCode.Dec64:
                    b = s->FlagKind < Flags.FirstBits ? (s->FlagA < s->FlagB ? 1UL : 0UL) : Flags.CarryOf(s);
                    a = *(ulong*)(r + op->A) - 1;
                    *(ulong*)(r + op->A) = a;
                    if ((long)a == long.MaxValue) b |= Flags.Overflow;
                    if ((a & 15) == 15) b |= Flags.Adjust;
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Result;
                    op++;
                    continue;
                case OpCode.Not32:
                    *(ulong*)(r + op->A) = ~*(uint*)(r + op->A);
                    op++;
                    continue;
                case OpCode.Not64:
                    *(ulong*)(r + op->A) = ~*(ulong*)(r + op->A);
                    op++;
                    continue;
                case OpCode.Neg32:
                    a = (ulong)*(int*)(r + op->A);
                    s->FlagA = 0;
                    s->FlagB = a;
                    s->FlagKind = Flags.Sub32;
                    *(ulong*)(r + op->A) = (uint)(0 - a);
                    op++;
                    continue;
                case OpCode.Neg64:
                    a = *(ulong*)(r + op->A);
                    s->FlagA = 0;
                    s->FlagB = a;
                    s->FlagKind = Flags.Sub64;
                    *(ulong*)(r + op->A) = (0 - a);
                    op++;
                    continue;
                case OpCode.Shl32:
                    a = *(uint*)(r + op->A);
                    b = (a >> (32 - op->Imm)) & 1;
                    a = (uint)a << op->Imm;
                    *(ulong*)(r + op->A) = (uint)a;
                    s->FlagA = (ulong)(int)a;
                    s->FlagB = b | (((a >> 31) ^ b) << 11);
                    s->FlagKind = Flags.Result;
                    op++;
                    continue;
                case OpCode.Shl64:
                    a = *(ulong*)(r + op->A);
                    b = (a >> (64 - op->Imm)) & 1;
                    a = a << op->Imm;
                    *(ulong*)(r + op->A) = a;
                    s->FlagA = a;
                    s->FlagB = b | (((a >> 63) ^ b) << 11);
                    s->FlagKind = Flags.Result;
                    op++;
                    continue;
                case OpCode.Shr32:
                    a = *(uint*)(r + op->A);
                    b = (a >> (op->Imm - 1)) & 1;
                    a >>= op->Imm;
                    *(ulong*)(r + op->A) = (uint)a;
                    s->FlagB = b | ((((a << 1) ^ a) >> 31 & 1) << 11);
                    s->FlagA = (ulong)(int)a;
                    s->FlagKind = Flags.Result;
                    op++;
                    continue;
                case OpCode.Shr64:
                    a = *(ulong*)(r + op->A);
                    b = (a >> (op->Imm - 1)) & 1;
                    a >>= op->Imm;
                    *(ulong*)(r + op->A) = a;
                    s->FlagB = b | ((((a << 1) ^ a) >> 63 & 1) << 11);
                    s->FlagA = a;
                    s->FlagKind = Flags.Result;
                    op++;
                    continue;
                case OpCode.Sar32:
                    a = (ulong)*(int*)(r + op->A);
                    s->FlagB = (ulong)((long)a >> (op->Imm - 1)) & 1;
                    a = (ulong)((long)a >> op->Imm);
                    *(ulong*)(r + op->A) = (uint)a;
                    s->FlagA = a;
                    s->FlagKind = Flags.Result;
                    op++;
                    continue;
                case OpCode.Sar64:
                    a = *(ulong*)(r + op->A);
                    s->FlagB = (ulong)((long)a >> (op->Imm - 1)) & 1;
                    a = (ulong)((long)a >> op->Imm);
                    *(ulong*)(r + op->A) = a;
                    s->FlagA = a;
                    s->FlagKind = Flags.Result;
                    op++;
                    continue;
                case OpCode.ShlCl32:
                    count = *(r + Rcx) & 31;
                    if (count == 0) goto NoShift32;
                    a = *(uint*)(r + op->A);
                    b = (a >> (32 - count)) & 1;
                    a = (uint)a << count;
                    *(ulong*)(r + op->A) = (uint)a;
                    s->FlagA = (ulong)(int)a;
                    s->FlagB = b | (((a >> 31) ^ b) << 11);
                    s->FlagKind = Flags.Result;
                    op++;
                    continue;
                case OpCode.ShlCl64:
                    count = *(r + Rcx) & 63;
                    if (count == 0) goto NoShift64;
                    a = *(ulong*)(r + op->A);
                    b = (a >> (64 - count)) & 1;
                    a = a << count;
                    *(ulong*)(r + op->A) = a;
                    s->FlagA = a;
                    s->FlagB = b | (((a >> 63) ^ b) << 11);
                    s->FlagKind = Flags.Result;
                    op++;
                    continue;
                case OpCode.ShrCl32:
                    count = *(r + Rcx) & 31;
                    if (count == 0) goto NoShift32;
                    a = *(uint*)(r + op->A);
                    b = (a >> (count - 1)) & 1;
                    a >>= count;
                    *(ulong*)(r + op->A) = (uint)a;
                    s->FlagB = b | ((((a << 1) ^ a) >> 31 & 1) << 11);
                    s->FlagA = (ulong)(int)a;
                    s->FlagKind = Flags.Result;
                    op++;
                    continue;
                case OpCode.ShrCl64:
                    count = *(r + Rcx) & 63;
                    if (count == 0) goto NoShift64;
                    a = *(ulong*)(r + op->A);
                    b = (a >> (count - 1)) & 1;
                    a >>= count;
                    *(ulong*)(r + op->A) = a;
                    s->FlagB = b | ((((a << 1) ^ a) >> 63 & 1) << 11);
                    s->FlagA = a;
                    s->FlagKind = Flags.Result;
                    op++;
                    continue;
                case OpCode.SarCl32:
                    count = *(r + Rcx) & 31;
                    if (count == 0) goto NoShift32;
                    a = (ulong)*(int*)(r + op->A);
                    s->FlagB = (ulong)((long)a >> (count - 1)) & 1;
                    a = (ulong)((long)a >> count);
                    *(ulong*)(r + op->A) = (uint)a;
                    s->FlagA = a;
                    s->FlagKind = Flags.Result;
                    op++;
                    continue;
                case OpCode.SarCl64:
                    count = *(r + Rcx) & 63;
                    if (count == 0) goto NoShift64;
                    a = *(ulong*)(r + op->A);
                    s->FlagB = (ulong)((long)a >> (count - 1)) & 1;
                    a = (ulong)((long)a >> count);
                    *(ulong*)(r + op->A) = a;
                    s->FlagA = a;
                    s->FlagKind = Flags.Result;
                    op++;
                    continue;
                case OpCode.Rol32:
                    a = BitOperations.RotateLeft(*(uint*)(r + op->A), op->Imm);
                    *(ulong*)(r + op->A) = a;
                    s->FlagKind = Flags.Overlay(s->FlagKind, a & 1, (a >> 31) ^ (a & 1));
                    op++;
                    continue;
                case OpCode.Rol64:
                    a = BitOperations.RotateLeft(*(ulong*)(r + op->A), op->Imm);
                    *(ulong*)(r + op->A) = a;
                    s->FlagKind = Flags.Overlay(s->FlagKind, a & 1, (a >> 63) ^ (a & 1));
                    op++;
                    continue;
                case OpCode.Ror32:
                    a = BitOperations.RotateRight(*(uint*)(r + op->A), op->Imm);
                    *(ulong*)(r + op->A) = a;
                    s->FlagKind = Flags.Overlay(s->FlagKind, a >> 31, (a >> 31) ^ (a >> 30 & 1));
                    op++;
                    continue;
                case OpCode.Ror64:
                    a = BitOperations.RotateRight(*(ulong*)(r + op->A), op->Imm);
                    *(ulong*)(r + op->A) = a;
                    s->FlagKind = Flags.Overlay(s->FlagKind, a >> 63, (a >> 63) ^ (a >> 62 & 1));
                    op++;
                    continue;
                case OpCode.Imul32:
                    b = (ulong)((long)*(int*)(r + op->A) * *(int*)(r + op->B));
                    goto Imul32;
                case OpCode.ImulImm32:
                    b = (ulong)((long)*(int*)(r + op->B) * op->Imm);
                    goto Imul32;
                case OpCode.Imul64:
                    a = (ulong)Math.BigMul(*(long*)(r + op->A), *(long*)(r + op->B), out low);
                    goto Imul64;
                case OpCode.ImulImm64:
                    a = (ulong)Math.BigMul(*(long*)(r + op->B), (long)op->Imm, out low);
                    goto Imul64;
                case OpCode.SetSub:
                    *(byte*)(r + op->A) = (byte)((op->B >> Flags.CompareIndex(s)) & 1);
                    op++;
                    continue;
                case OpCode.CmovSub32:
                    if (((op->Scale >> Flags.CompareIndex(s)) & 1) != 0) *(ulong*)(r + op->A) = *(uint*)(r + op->B);
                    else *(ulong*)(r + op->A) = *(uint*)(r + op->A);
                    op++;
                    continue;
                case OpCode.CmovSub64:
                    if (((op->Scale >> Flags.CompareIndex(s)) & 1) != 0) *(ulong*)(r + op->A) = *(ulong*)(r + op->B);
                    op++;
                    continue;
                case OpCode.SetAny:
                    *(byte*)(r + op->A) = Flags.Test(s, op->B) ? (byte)1 : (byte)0;
                    op++;
                    continue;
                case OpCode.CmovAny32:
                    if (Flags.Test(s, op->Scale)) *(ulong*)(r + op->A) = *(uint*)(r + op->B);
                    else *(ulong*)(r + op->A) = *(uint*)(r + op->A);
                    op++;
                    continue;
                case OpCode.CmovAny64:
                    if (Flags.Test(s, op->Scale)) *(ulong*)(r + op->A) = *(ulong*)(r + op->B);
                    op++;
                    continue;
                case OpCode.JumpSubE:
                    if (s->FlagA == s->FlagB) goto Take;
                    op++;
                    continue;
                case OpCode.JumpSubNe:
                    if (s->FlagA != s->FlagB) goto Take;
                    op++;
                    continue;
                case OpCode.JumpSubB:
                    if (s->FlagA < s->FlagB) goto Take;
                    op++;
                    continue;
                case OpCode.JumpSubAe:
                    if (s->FlagA >= s->FlagB) goto Take;
                    op++;
                    continue;
                case OpCode.JumpSubBe:
                    if (s->FlagA <= s->FlagB) goto Take;
                    op++;
                    continue;
                case OpCode.JumpSubA:
                    if (s->FlagA > s->FlagB) goto Take;
                    op++;
                    continue;
                case OpCode.JumpSubL:
                    if ((long)s->FlagA < (long)s->FlagB) goto Take;
                    op++;
                    continue;
                case OpCode.JumpSubGe:
                    if ((long)s->FlagA >= (long)s->FlagB) goto Take;
                    op++;
                    continue;
                case OpCode.JumpSubLe:
                    if ((long)s->FlagA <= (long)s->FlagB) goto Take;
                    op++;
                    continue;
                case OpCode.JumpSubG:
                    if ((long)s->FlagA > (long)s->FlagB) goto Take;
                    op++;
                    continue;
                case OpCode.JumpSubS:
                    if ((long)(s->FlagA - s->FlagB) < 0) goto Take;
                    op++;
                    continue;
                case OpCode.JumpSubNs:
                    if ((long)(s->FlagA - s->FlagB) >= 0) goto Take;
                    op++;
                    continue;
                case OpCode.JumpResultE:
                    if (s->FlagA == 0) goto Take;
                    op++;
                    continue;
                case OpCode.JumpResultNe:
                    if (s->FlagA != 0) goto Take;
                    op++;
                    continue;
                case OpCode.JumpResultS:
                    if ((long)s->FlagA < 0) goto Take;
                    op++;
                    continue;
                case OpCode.JumpResultNs:
                    if ((long)s->FlagA >= 0) goto Take;
                    op++;
                    continue;
                case OpCode.JumpAny:
                    if (Flags.Test(s, op->Disp)) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRR32JumpE:
                    a = (ulong)*(int*)(r + op->A);
                    b = (ulong)*(int*)(r + op->DispByte);
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub32;
                    if (a == b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRR32JumpNe:
                    a = (ulong)*(int*)(r + op->A);
                    b = (ulong)*(int*)(r + op->DispByte);
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub32;
                    if (a != b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRR32JumpB:
                    a = (ulong)*(int*)(r + op->A);
                    b = (ulong)*(int*)(r + op->DispByte);
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub32;
                    if (a < b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRR32JumpAe:
                    a = (ulong)*(int*)(r + op->A);
                    b = (ulong)*(int*)(r + op->DispByte);
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub32;
                    if (a >= b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRR32JumpBe:
                    a = (ulong)*(int*)(r + op->A);
                    b = (ulong)*(int*)(r + op->DispByte);
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub32;
                    if (a <= b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRR32JumpA:
                    a = (ulong)*(int*)(r + op->A);
                    b = (ulong)*(int*)(r + op->DispByte);
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub32;
                    if (a > b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRR32JumpL:
                    a = (ulong)*(int*)(r + op->A);
                    b = (ulong)*(int*)(r + op->DispByte);
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub32;
                    if ((long)a < (long)b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRR32JumpGe:
                    a = (ulong)*(int*)(r + op->A);
                    b = (ulong)*(int*)(r + op->DispByte);
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub32;
                    if ((long)a >= (long)b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRR32JumpLe:
                    a = (ulong)*(int*)(r + op->A);
                    b = (ulong)*(int*)(r + op->DispByte);
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub32;
                    if ((long)a <= (long)b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRR32JumpG:
                    a = (ulong)*(int*)(r + op->A);
                    b = (ulong)*(int*)(r + op->DispByte);
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub32;
                    if ((long)a > (long)b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRI32JumpE:
                    a = (ulong)*(int*)(r + op->A);
                    b = (ulong)op->Disp;
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub32;
                    if (a == b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRI32JumpNe:
                    a = (ulong)*(int*)(r + op->A);
                    b = (ulong)op->Disp;
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub32;
                    if (a != b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRI32JumpB:
                    a = (ulong)*(int*)(r + op->A);
                    b = (ulong)op->Disp;
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub32;
                    if (a < b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRI32JumpAe:
                    a = (ulong)*(int*)(r + op->A);
                    b = (ulong)op->Disp;
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub32;
                    if (a >= b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRI32JumpBe:
                    a = (ulong)*(int*)(r + op->A);
                    b = (ulong)op->Disp;
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub32;
                    if (a <= b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRI32JumpA:
                    a = (ulong)*(int*)(r + op->A);
                    b = (ulong)op->Disp;
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub32;
                    if (a > b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRI32JumpL:
                    a = (ulong)*(int*)(r + op->A);
                    b = (ulong)op->Disp;
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub32;
                    if ((long)a < (long)b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRI32JumpGe:
                    a = (ulong)*(int*)(r + op->A);
                    b = (ulong)op->Disp;
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub32;
                    if ((long)a >= (long)b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRI32JumpLe:
                    a = (ulong)*(int*)(r + op->A);
                    b = (ulong)op->Disp;
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub32;
                    if ((long)a <= (long)b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRI32JumpG:
                    a = (ulong)*(int*)(r + op->A);
                    b = (ulong)op->Disp;
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub32;
                    if ((long)a > (long)b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRR64JumpE:
                    a = *(ulong*)(r + op->A);
                    b = *(ulong*)(r + op->DispByte);
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub64;
                    if (a == b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRR64JumpNe:
                    a = *(ulong*)(r + op->A);
                    b = *(ulong*)(r + op->DispByte);
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub64;
                    if (a != b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRR64JumpB:
                    a = *(ulong*)(r + op->A);
                    b = *(ulong*)(r + op->DispByte);
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub64;
                    if (a < b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRR64JumpAe:
                    a = *(ulong*)(r + op->A);
                    b = *(ulong*)(r + op->DispByte);
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub64;
                    if (a >= b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRR64JumpBe:
                    a = *(ulong*)(r + op->A);
                    b = *(ulong*)(r + op->DispByte);
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub64;
                    if (a <= b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRR64JumpA:
                    a = *(ulong*)(r + op->A);
                    b = *(ulong*)(r + op->DispByte);
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub64;
                    if (a > b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRR64JumpL:
                    a = *(ulong*)(r + op->A);
                    b = *(ulong*)(r + op->DispByte);
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub64;
                    if ((long)a < (long)b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRR64JumpGe:
                    a = *(ulong*)(r + op->A);
                    b = *(ulong*)(r + op->DispByte);
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub64;
                    if ((long)a >= (long)b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRR64JumpLe:
                    a = *(ulong*)(r + op->A);
                    b = *(ulong*)(r + op->DispByte);
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub64;
                    if ((long)a <= (long)b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRR64JumpG:
                    a = *(ulong*)(r + op->A);
                    b = *(ulong*)(r + op->DispByte);
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub64;
                    if ((long)a > (long)b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRI64JumpE:
                    a = *(ulong*)(r + op->A);
                    b = (ulong)op->Disp;
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub64;
                    if (a == b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRI64JumpNe:
                    a = *(ulong*)(r + op->A);
                    b = (ulong)op->Disp;
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub64;
                    if (a != b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRI64JumpB:
                    a = *(ulong*)(r + op->A);
                    b = (ulong)op->Disp;
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub64;
                    if (a < b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRI64JumpAe:
                    a = *(ulong*)(r + op->A);
                    b = (ulong)op->Disp;
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub64;
                    if (a >= b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRI64JumpBe:
                    a = *(ulong*)(r + op->A);
                    b = (ulong)op->Disp;
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub64;
                    if (a <= b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRI64JumpA:
                    a = *(ulong*)(r + op->A);
                    b = (ulong)op->Disp;
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub64;
                    if (a > b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRI64JumpL:
                    a = *(ulong*)(r + op->A);
                    b = (ulong)op->Disp;
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub64;
                    if ((long)a < (long)b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRI64JumpGe:
                    a = *(ulong*)(r + op->A);
                    b = (ulong)op->Disp;
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub64;
                    if ((long)a >= (long)b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRI64JumpLe:
                    a = *(ulong*)(r + op->A);
                    b = (ulong)op->Disp;
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub64;
                    if ((long)a <= (long)b) goto Take;
                    op++;
                    continue;
                case OpCode.CmpRI64JumpG:
                    a = *(ulong*)(r + op->A);
                    b = (ulong)op->Disp;
                    s->FlagA = a;
                    s->FlagB = b;
                    s->FlagKind = Flags.Sub64;
                    if ((long)a > (long)b) goto Take;
                    op++;
                    continue;
                case OpCode.TestRI8JumpE:
                    a = (ulong)*(sbyte*)(r + op->A) & (ulong)op->Disp;
                    s->FlagA = a;
                    s->FlagB = 0;
                    s->FlagKind = Flags.Logic;
                    if (a == 0) goto Take;
                    op++;
                    continue;
                case OpCode.TestRI8JumpNe:
                    a = (ulong)*(sbyte*)(r + op->A) & (ulong)op->Disp;
                    s->FlagA = a;
                    s->FlagB = 0;
                    s->FlagKind = Flags.Logic;
                    if (a != 0) goto Take;
                    op++;
                    continue;
                case OpCode.TestRI32JumpE:
                    a = (ulong)*(int*)(r + op->A) & (ulong)op->Disp;
                    s->FlagA = a;
                    s->FlagB = 0;
                    s->FlagKind = Flags.Logic;
                    if (a == 0) goto Take;
                    op++;
                    continue;
                case OpCode.TestRI32JumpNe:
                    a = (ulong)*(int*)(r + op->A) & (ulong)op->Disp;
                    s->FlagA = a;
                    s->FlagB = 0;
                    s->FlagKind = Flags.Logic;
                    if (a != 0) goto Take;
                    op++;
                    continue;
                case OpCode.Jump:
                    goto Take;
                case OpCode.JumpCxz:
                    if ((*(ulong*)(r + 8) & Flags.WidthMask(op->A)) == 0) goto Take;
                    op++;
                    continue;
                case OpCode.JumpTemp:
                    if (*(ulong*)(r + op->A) != 0) goto Take;
                    op++;
                    continue;
                case OpCode.JumpPage:
                    s->RipBase = (s->RipBase + (ulong)op->Disp) & s->InstructionMask;
                    block = (Block*)(arena + op->Link);
                    if (*block->VersionCell != block->Version) goto Resolve;
                    s->CurrentBlock = block;
                    op = Block.Ops(block);
                    continue;
                case OpCode.JumpIndirect:
                    target = *(ulong*)(r + op->A);
                    goto Indirect;
                case OpCode.Push64:
                    ea = *(ulong*)(r + Rsp) - 8;
                    p = s->TlbWrite + ((ea >> 8) & SoftTlb.IndexMask);
                    if (((ea + 7) & PageMask) == *(ulong*)p) *(ulong*)(ea + *(ulong*)(p + 8)) = *(ulong*)(r + op->A);
                    else if (!vcpu.SlowWrite(op, ea, 8, *(ulong*)(r + op->A))) goto Fault;
                    *(ulong*)(r + Rsp) = ea;
                    op++;
                    continue;
                case OpCode.PushImm64:
                    ea = *(ulong*)(r + Rsp) - 8;
                    p = s->TlbWrite + ((ea >> 8) & SoftTlb.IndexMask);
                    if (((ea + 7) & PageMask) == *(ulong*)p) *(ulong*)(ea + *(ulong*)(p + 8)) = (ulong)op->Imm;
                    else if (!vcpu.SlowWrite(op, ea, 8, (ulong)op->Imm)) goto Fault;
                    *(ulong*)(r + Rsp) = ea;
                    op++;
                    continue;
                case OpCode.Pop64:
                    ea = *(ulong*)(r + Rsp);
                    p = s->TlbRead + ((ea >> 8) & SoftTlb.IndexMask);
                    if (((ea + 7) & PageMask) == *(ulong*)p) p = (byte*)(ea + *(ulong*)(p + 8));
                    else if ((p = vcpu.SlowRead(op, ea, 8)) == null) goto Fault;
                    *(ulong*)(r + Rsp) = ea + 8;
                    *(ulong*)(r + op->A) = *(ulong*)p;
                    op++;
                    continue;
                case OpCode.Push32:
                    ea = *(uint*)(r + Rsp) - 4U;
                    p = s->TlbWrite + ((ea >> 8) & SoftTlb.IndexMask);
                    if (((ea + 3) & PageMask) == *(ulong*)p) *(uint*)(ea + *(ulong*)(p + 8)) = *(uint*)(r + op->A);
                    else if (!vcpu.SlowWrite(op, ea, 4, *(uint*)(r + op->A))) goto Fault;
                    *(ulong*)(r + Rsp) = ea;
                    op++;
                    continue;
                case OpCode.Pop32:
                    ea = *(uint*)(r + Rsp);
                    p = s->TlbRead + ((ea >> 8) & SoftTlb.IndexMask);
                    if (((ea + 3) & PageMask) == *(ulong*)p) p = (byte*)(ea + *(ulong*)(p + 8));
                    else if ((p = vcpu.SlowRead(op, ea, 4)) == null) goto Fault;
                    *(ulong*)(r + Rsp) = (uint)(ea + 4);
                    *(ulong*)(r + op->A) = *(uint*)p;
                    op++;
                    continue;
                case OpCode.Call64:
                    ea = *(ulong*)(r + Rsp) - 8;
                    a = s->RipBase + (ulong)op->Disp;
                    p = s->TlbWrite + ((ea >> 8) & SoftTlb.IndexMask);
                    if (((ea + 7) & PageMask) == *(ulong*)p) *(ulong*)(ea + *(ulong*)(p + 8)) = a;
                    else if (!vcpu.SlowWrite(op, ea, 8, a)) goto Fault;
                    *(ulong*)(r + Rsp) = ea;
                    goto Take;
                case OpCode.Call32:
                    ea = *(uint*)(r + Rsp) - 4U;
                    a = (uint)(s->RipBase + (ulong)op->Disp);
                    p = s->TlbWrite + ((ea >> 8) & SoftTlb.IndexMask);
                    if (((ea + 3) & PageMask) == *(ulong*)p) *(uint*)(ea + *(ulong*)(p + 8)) = (uint)a;
                    else if (!vcpu.SlowWrite(op, ea, 4, a)) goto Fault;
                    *(ulong*)(r + Rsp) = ea;
                    goto Take;
                case OpCode.CallIndirect64:
                    target = *(ulong*)(r + op->A);
                    ea = *(ulong*)(r + Rsp) - 8;
                    a = s->RipBase + (ulong)op->Disp;
                    p = s->TlbWrite + ((ea >> 8) & SoftTlb.IndexMask);
                    if (((ea + 7) & PageMask) == *(ulong*)p) *(ulong*)(ea + *(ulong*)(p + 8)) = a;
                    else if (!vcpu.SlowWrite(op, ea, 8, a)) goto Fault;
                    *(ulong*)(r + Rsp) = ea;
                    goto Indirect;
                case OpCode.CallIndirect32:
                    target = *(uint*)(r + op->A);
                    ea = *(uint*)(r + Rsp) - 4U;
                    a = (uint)(s->RipBase + (ulong)op->Disp);
                    p = s->TlbWrite + ((ea >> 8) & SoftTlb.IndexMask);
                    if (((ea + 3) & PageMask) == *(ulong*)p) *(uint*)(ea + *(ulong*)(p + 8)) = (uint)a;
                    else if (!vcpu.SlowWrite(op, ea, 4, a)) goto Fault;
                    *(ulong*)(r + Rsp) = ea;
                    goto Indirect;
                case OpCode.Ret64:
                    ea = *(ulong*)(r + Rsp);
                    p = s->TlbRead + ((ea >> 8) & SoftTlb.IndexMask);
                    if (((ea + 7) & PageMask) == *(ulong*)p) p = (byte*)(ea + *(ulong*)(p + 8));
                    else if ((p = vcpu.SlowRead(op, ea, 8)) == null) goto Fault;
                    target = *(ulong*)p;
                    *(ulong*)(r + Rsp) = ea + 8 + (uint)op->Imm;
                    goto Indirect;
                case OpCode.Ret32:
                    ea = *(uint*)(r + Rsp);
                    p = s->TlbRead + ((ea >> 8) & SoftTlb.IndexMask);
                    if (((ea + 3) & PageMask) == *(ulong*)p) p = (byte*)(ea + *(ulong*)(p + 8));
                    else if ((p = vcpu.SlowRead(op, ea, 4)) == null) goto Fault;
                    target = *(uint*)p;
                    *(ulong*)(r + Rsp) = (uint)(ea + 4 + (uint)op->Imm);
                    goto Indirect;
                case OpCode.GroupInteger:
                    outcome = vcpu.ExecuteInteger(op);
                    goto AfterGroup;
                case OpCode.GroupLocked:
                    outcome = vcpu.ExecuteLocked(op);
                    goto AfterGroup;
                case OpCode.GroupStack:
                    outcome = vcpu.ExecuteStack(op);
                    goto AfterGroup;
                case OpCode.GroupString:
                    outcome = vcpu.ExecuteString(op);
                    goto AfterGroup;
                case OpCode.GroupControl:
                    outcome = vcpu.ExecuteControl(op);
                    goto AfterGroup;
                case OpCode.GroupSystem:
                    outcome = vcpu.ExecuteSystem(op);
                    goto AfterGroup;
                case OpCode.GroupX87:
                    outcome = vcpu.ExecuteX87(op);
                    goto AfterGroup;
                case OpCode.GroupAddress:
                    outcome = vcpu.ExecuteAddress(op);
                    goto AfterGroup;
                case OpCode.CheckSecondFrame:
                    if (*(uint*)op->Wide != (uint)op->Target) goto SecondStale;
                    op++;
                    continue;
                case OpCode.CodeChanged:
                    goto CodeChanged;
                case OpCode.Nop:
                    op++;
                    continue;
                case OpCode.NotImplemented:
                    goto NotImplemented;

                default:
                    goto NotImplemented;
            }

        Take:
            budget = s->Budget - (op->Insn + 1);
            s->Budget = budget;
            if (budget <= 0) goto SliceEnd;
            if (op->Link == 0) goto Resolve;
            block = (Block*)(arena + op->Link);
            if (*block->VersionCell != block->Version) goto Resolve;
            s->CurrentBlock = block;
            op = Block.Ops(block);
            continue;

        NoShift32:
            *(ulong*)(r + op->A) = *(uint*)(r + op->A);
        NoShift64:
            op++;
            continue;

        Imul32:
            s->FlagA = (ulong)(int)b;
            s->FlagB = b == (ulong)(int)b ? 0 : Flags.Carry | Flags.Overflow;
            s->FlagKind = Flags.Result;
            *(ulong*)(r + op->A) = (uint)b;
            op++;
            continue;

        Imul64:
            s->FlagA = (ulong)low;
            s->FlagB = (long)a == low >> 63 ? 0 : Flags.Carry | Flags.Overflow;
            s->FlagKind = Flags.Result;
            *(long*)(r + op->A) = low;
            op++;
            continue;

        Indirect:
            s->Budget -= op->Insn + 1;
            s->Rip = target;
            if (s->Budget <= 0) return VcpuExit.BudgetExhausted;
            p = s->JumpCache + ((target & OpCache.JumpMask) << 4);
            if (*(ulong*)p != target) goto Lookup;
            block = *(Block**)(p + 8);
            if (*block->VersionCell != block->Version) goto Lookup;
            s->RipBase = target - block->PageOffset;
            s->CurrentBlock = block;
            op = Block.Ops(block);
        }

    AfterGroup:
        if (outcome == Outcome.Next)
        {
            op++;
            goto Dispatch;
        }

        if (outcome == Outcome.Fault) goto Fault;
        s->Budget -= op->Insn + 1;
        if (outcome == Outcome.Exit) return vcpu._exit;
        if (s->Budget <= 0) return VcpuExit.BudgetExhausted;
        goto Lookup;

    Resolve:
        // The destination is not linked yet, or was decoded from bytes that changed since.
        block = vcpu.Resolve(op);
        goto Found;

    SecondStale:
        vcpu.Forget(s->CurrentBlock);
    CodeChanged:
        // The instruction before this one changed this block; what follows was decoded from old bytes.
        s->Budget -= op->Insn;
        s->Rip = vcpu.RipOf(op->Insn);
    Lookup:
        block = vcpu.Lookup();
    Found:
        if (block == null) return vcpu._exit;
        s->CurrentBlock = block;
        op = Block.Ops(block);
        goto Dispatch;

    Fault:
        s->Budget -= op->Insn;
        if (vcpu.Deliver(op)) goto Lookup;
        return vcpu._exit;

    SliceEnd:
        s->Rip = (s->RipBase + (ulong)op->Target) & s->InstructionMask;
        return VcpuExit.BudgetExhausted;

    NotImplemented:
        s->Budget -= op->Insn;
        vcpu.ReportUnsupported(op);
        return VcpuExit.Unsupported;
    }
}
