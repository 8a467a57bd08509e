using System.Runtime.InteropServices;
using Pagoda.Core;

namespace Pagoda.Machine.Cpu;

/// <summary>One pre-decoded operation, 16 bytes.</summary>
/// <remarks>
/// Register operands are byte offsets into the register file. A memory operand is Base + Disp, or, for the indexed
/// forms, Base + (Index &lt;&lt; Scale) + Disp; anything richer is computed into a temporary by a micro-op before it.
/// <code>
///    0        2      3      4      5       6       7      8            12           16
///   +--------+------+------+------+-------+-------+------+------------+------------+
///   | Code   | Insn |  A   |  B   | Base  | Index | Scale|    Disp    |    Imm     |
///   +--------+------+------+------+-------+-------+------+------------+------------+
///                          |  Target (branches)          |            |    Link    |
/// </code>
/// Insn is the instruction's place in its block: it counts executed instructions and finds RIP again.
/// </remarks>
[AllocationFree]
[StructLayout(LayoutKind.Explicit, Size = SizeBytes)]
internal struct MicroOp
{
    /// <summary>Bytes of a micro-op.</summary>
    public const int SizeBytes = 16;

    [FieldOffset(0)] private ushort _code;
    [FieldOffset(2)] public byte Insn;
    [FieldOffset(3)] public byte A;
    [FieldOffset(4)] public byte B;
    [FieldOffset(5)] public byte Base;
    [FieldOffset(6)] public byte Index;
    [FieldOffset(7)] public byte Scale;
    [FieldOffset(8)] public int Disp;
    [FieldOffset(12)] public int Imm;

    /// <summary>The second register of a fused compare and jump.</summary>
    [FieldOffset(8)] public byte DispByte;

    /// <summary>A branch's destination relative to the instruction-pointer base.</summary>
    [FieldOffset(4)] public int Target;

    /// <summary>A branch's destination block, as an offset into the arena; 0 = not linked.</summary>
    [FieldOffset(12)] public uint Link;

    /// <summary>A whole 64-bit immediate.</summary>
    [FieldOffset(8)] public ulong Wide;

    /// <summary>What to do.</summary>
    public OpCode Code
    {
        readonly get => (OpCode)_code;
        set => _code = (ushort)value;
    }

    /// <summary>Which operation of an out-of-line group this is.</summary>
    [FieldOffset(6)] public byte Sub;

    /// <summary>log2 of the operand's bytes, in out-of-line groups.</summary>
    [FieldOffset(7)] public byte SizeLog2;
}
