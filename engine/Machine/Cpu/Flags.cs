using System.Numerics;
using System.Runtime.CompilerServices;
using Pagoda.Core;

namespace Pagoda.Machine.Cpu;

/// <summary>The six arithmetic flags, kept lazily as two words and a kind.</summary>
/// <remarks>
/// Words are sign-extended to 64 bits, which keeps both orders, so one comparison serves every operand size:
/// <code>
///   Sub8..Sub64   A = minuend, B = subtrahend       ZF: A == B   CF: A &lt; B unsigned   SF != OF: A &lt; B signed
///   Add8..Add64   A = sum, B = addend               ZF: A == 0   CF: A &lt; B unsigned
///   Result        A = result for ZF, SF, PF         B = CF, AF, OF in RFLAGS positions
///   Image         B = all six in RFLAGS positions
///   + overlay     bit 8 of the kind: CF is bit 9 and OF bit 10 of it, the other flags as the low byte says
/// </code>
/// A logical operation is Sub64 of its result and 0.
/// </remarks>
[AllocationFree]
internal static unsafe class Flags
{
    public const ulong Carry = 1;
    public const ulong Parity = 1 << 2;
    public const ulong Adjust = 1 << 4;
    public const ulong Zero = 1 << 6;
    public const ulong Sign = 1 << 7;
    public const ulong Trap = 1 << 8;
    public const ulong Interrupt = 1 << 9;
    public const ulong Direction = 1 << 10;
    public const ulong Overflow = 1 << 11;
    public const ulong IoPrivilege = 3 << 12;
    public const ulong NestedTask = 1 << 14;
    public const ulong Resume = 1 << 16;
    public const ulong Virtual8086 = 1 << 17;
    public const ulong AlignmentCheck = 1 << 18;
    public const ulong VirtualInterrupt = 1 << 19;
    public const ulong VirtualInterruptPending = 1 << 20;
    public const ulong Identification = 1 << 21;

    /// <summary>The arithmetic flags.</summary>
    public const ulong Arithmetic = Carry | Parity | Adjust | Zero | Sign | Overflow;

    /// <summary>Bit 1, always set.</summary>
    public const ulong Fixed = 2;

    public const uint Sub8 = 0;
    public const uint Sub16 = 1;
    public const uint Sub32 = 2;
    public const uint Sub64 = 3;
    public const uint Add8 = 4;
    public const uint Add16 = 5;
    public const uint Add32 = 6;
    public const uint Add64 = 7;

    /// <summary>The first kind whose second word holds flag bits.</summary>
    public const uint FirstBits = 8;

    public const uint Result = 8;
    public const uint Image = 9;

    private const uint KindMask = 0xFF;
    private const uint HasOverlay = 1 << 8;
    private const int OverlayCarry = 9;
    private const int OverlayOverflow = 10;

    /// <summary>The kind of and, or, xor and test: a subtraction of nothing from the result.</summary>
    public const uint Logic = Sub64;

    /// <summary>The 8-bit truth table index of a comparison: bit 0 equal, bit 1 below, bit 2 less.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int CompareIndex(VcpuState* s) =>
        (s->FlagA == s->FlagB ? 1 : 0) | (s->FlagA < s->FlagB ? 2 : 0) | ((long)s->FlagA < (long)s->FlagB ? 4 : 0);

    /// <summary>The low 16, 32 or 64 bits (0, 1, 2).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong WidthMask(byte width) => width == 0 ? 0xFFFF : width == 1 ? 0xFFFF_FFFF : ulong.MaxValue;

    /// <summary>A kind with another carry and overflow (0 or 1 each) over it, as rotates leave it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Overlay(uint kind, ulong carry, ulong overflow) =>
        (kind & KindMask) | HasOverlay | (uint)carry << OverlayCarry | (uint)overflow << OverlayOverflow;

    /// <summary>CF, as 0 or 1.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong CarryOf(VcpuState* s)
    {
        uint kind = s->FlagKind;
        if (kind < FirstBits) return s->FlagA < s->FlagB ? 1UL : 0UL;
        return (kind & HasOverlay) != 0 ? kind >> OverlayCarry & 1 : s->FlagB & Carry;
    }

    /// <summary>ZF.</summary>
    public static bool IsZero(VcpuState* s)
    {
        uint kind = s->FlagKind & KindMask;
        if (kind < Add8) return s->FlagA == s->FlagB;
        return kind != Image ? s->FlagA == 0 : (s->FlagB & Zero) != 0;
    }

    /// <summary>SF.</summary>
    public static bool IsSign(VcpuState* s)
    {
        uint kind = s->FlagKind & KindMask;
        if (kind < Add8) return ((s->FlagA - s->FlagB) >> (int)((8U << (int)kind) - 1) & 1) != 0;
        return kind != Image ? (long)s->FlagA < 0 : (s->FlagB & Sign) != 0;
    }

    /// <summary>OF.</summary>
    public static bool IsOverflow(VcpuState* s)
    {
        uint kind = s->FlagKind;
        if ((kind & HasOverlay) != 0) return (kind >> OverlayOverflow & 1) != 0;
        if (kind >= FirstBits) return (s->FlagB & Overflow) != 0;
        ulong a = s->FlagA;
        ulong b = s->FlagB;
        int top = (int)((8U << (int)(kind & 3)) - 1);
        ulong other = a - b;     // the difference, or the first addend: the formula is the same
        return (((a ^ b) & (a ^ other)) >> top & 1) != 0;
    }

    /// <summary>PF.</summary>
    public static bool IsParity(VcpuState* s)
    {
        uint kind = s->FlagKind & KindMask;
        if (kind == Image) return (s->FlagB & Parity) != 0;
        ulong result = kind < Add8 ? s->FlagA - s->FlagB : s->FlagA;
        return (BitOperations.PopCount(result & 0xFF) & 1) == 0;
    }

    /// <summary>AF.</summary>
    public static bool IsAdjust(VcpuState* s)
    {
        uint kind = s->FlagKind & KindMask;
        if (kind >= FirstBits) return (s->FlagB & Adjust) != 0;
        ulong other = s->FlagA - s->FlagB;      // the difference, or the first addend
        return ((s->FlagA ^ s->FlagB ^ other) & Adjust) != 0;
    }

    /// <summary>All six in RFLAGS positions.</summary>
    public static ulong Materialize(VcpuState* s)
    {
        if (s->FlagKind == Image) return s->FlagB & Arithmetic;
        ulong image = CarryOf(s);
        if (IsParity(s)) image |= Parity;
        if (IsAdjust(s)) image |= Adjust;
        if (IsZero(s)) image |= Zero;
        if (IsSign(s)) image |= Sign;
        if (IsOverflow(s)) image |= Overflow;
        return image;
    }

    /// <summary>Sets all six from RFLAGS positions; other bits are ignored.</summary>
    public static void Set(VcpuState* s, ulong image)
    {
        s->FlagB = image & Arithmetic;
        s->FlagKind = Image;
    }

    /// <summary>A condition by its encoding, 0 (overflow) to 15 (greater).</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static bool Test(VcpuState* s, int condition)
    {
        bool result = (condition >> 1) switch
        {
            0 => IsOverflow(s),
            1 => CarryOf(s) != 0,
            2 => IsZero(s),
            3 => CarryOf(s) != 0 || IsZero(s),
            4 => IsSign(s),
            5 => IsParity(s),
            6 => IsSign(s) != IsOverflow(s),
            _ => IsZero(s) || IsSign(s) != IsOverflow(s),
        };
        return result != ((condition & 1) != 0);
    }
}
