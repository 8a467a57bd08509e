using System;
using System.Numerics;

namespace Pagoda.Machine.Cpu;

/// <summary>Eighty-bit reals as memory holds them (SDM volume 1, section 4.2), to and from double precision.</summary>
internal static class ExtendedReal
{
    private const int Bias = 16383;
    private const int DoubleBias = 1023;
    private const int ExponentMax = 0x7FFF;
    private const ulong IntegerBit = 1UL << 63;

    /// <summary>Rounds to the nearest double.</summary>
    /// <param name="significand">Sixty-four bits with an explicit integer bit.</param>
    /// <param name="top">Sign and exponent.</param>
    public static double ToDouble(ulong significand, ushort top)
    {
        bool isNegative = (top & 0x8000) != 0;
        int exponent = top & ExponentMax;
        double magnitude;
        if (exponent == ExponentMax)
        {
            magnitude = significand << 1 == 0 ? double.PositiveInfinity : double.NaN;
        }
        else
        {
            // The conversion rounds once; scaling is exact except into the subnormals.
            int scale = (exponent == 0 ? 1 : exponent) - Bias - 63;
            magnitude = significand == 0 ? 0 : Math.ScaleB((double)significand, scale);
        }
        return isNegative ? -magnitude : magnitude;
    }

    /// <summary>Exact.</summary>
    /// <param name="value">Any double.</param>
    /// <param name="top">Sign and exponent.</param>
    /// <returns>The significand.</returns>
    public static ulong FromDouble(double value, out ushort top)
    {
        ulong bits = BitConverter.DoubleToUInt64Bits(value);
        int sign = (int)(bits >> 63) << 15;
        int exponent = (int)(bits >> 52) & 0x7FF;
        ulong fraction = bits & ((1UL << 52) - 1);
        if (exponent == 0x7FF)
        {
            top = (ushort)(sign | ExponentMax);
            return IntegerBit | fraction << 11;
        }
        if (exponent == 0 && fraction == 0)
        {
            top = (ushort)sign;
            return 0;
        }
        if (exponent == 0)
        {
            int shift = BitOperations.LeadingZeroCount(fraction);
            top = (ushort)(sign | (Bias - DoubleBias + 1 - (shift - 11)));
            return fraction << shift;
        }
        top = (ushort)(sign | (exponent - DoubleBias + Bias));
        return IntegerBit | fraction << 11;
    }
}
