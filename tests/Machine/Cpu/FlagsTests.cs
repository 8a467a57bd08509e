using System.Numerics;
using NUnit.Framework;
using Pagoda.Machine.Cpu;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Machine.Cpu;

/// <summary>The lazy flags against formulas written out, for every width.</summary>
public sealed unsafe class FlagsTests
{
    [Test]
    public void SumsAndDifferencesHaveTheFlagsOfTheManual()
    {
        var random = new SeededGenerator(71);
        for (int i = 0; i < 4000; i++)
        {
            int size = random.Below(4);
            int bits = 8 << size;
            ulong mask = size == 3 ? ulong.MaxValue : (1UL << bits) - 1;
            ulong a = Near(random) & mask;
            ulong b = Near(random) & mask;
            bool isSum = random.OneIn(2);
            ulong result = (isSum ? a + b : a - b) & mask;
            VcpuState state = default;
            state.FlagKind = (isSum ? Flags.Add8 : Flags.Sub8) + (uint)size;
            state.FlagA = Extend(isSum ? result : a, bits);
            state.FlagB = Extend(b, bits);
            Assert.That(Flags.Materialize(&state), Is.EqualTo(Expected(a, b, result, bits, isSum)),
                $"{a:x} {(isSum ? '+' : '-')} {b:x}, {bits} bits, {random}");
        }
    }

    [Test]
    public void AnImageComesBackAsItWasSet()
    {
        VcpuState state = default;
        for (ulong image = 0; image < 0x1000; image++)
        {
            Flags.Set(&state, image);
            Assert.That(Flags.Materialize(&state), Is.EqualTo(image & Flags.Arithmetic));
            Assert.That(Flags.CarryOf(&state), Is.EqualTo(image & 1));
        }
    }

    [TestCase(0UL, true)]
    [TestCase(3UL, true)]
    [TestCase(0x101UL, false)]
    [TestCase(0xFFFF_FFFF_FFFF_FF80UL, false)]
    public void ParityLooksAtTheLowByteOfAResult(ulong result, bool isEven)
    {
        VcpuState state = default;
        state.FlagKind = Flags.Result;
        state.FlagA = result;
        Assert.That(Flags.IsParity(&state), Is.EqualTo(isEven));
        Assert.That(Flags.IsZero(&state), Is.EqualTo(result == 0));
        Assert.That(Flags.IsSign(&state), Is.EqualTo((long)result < 0));
    }

    [TestCase((byte)0, 0xFFFFUL)]
    [TestCase((byte)1, 0xFFFF_FFFFUL)]
    [TestCase((byte)2, ulong.MaxValue)]
    public void WidthMasksAreTheAddressSizes(byte width, ulong mask) =>
        Assert.That(Flags.WidthMask(width), Is.EqualTo(mask));

    private static ulong Expected(ulong a, ulong b, ulong result, int bits, bool isSum)
    {
        UInt128Pair wide = isSum ? new(a, b) : default;
        bool carry = isSum ? wide.CarryOut(bits) : a < b;
        ulong top = 1UL << (bits - 1);
        bool overflow = isSum ? ((a ^ result) & (b ^ result) & top) != 0 : ((a ^ b) & (a ^ result) & top) != 0;
        ulong image = carry ? 1UL : 0;
        if ((BitOperations.PopCount(result & 0xFF) & 1) == 0) image |= 4;
        if (((a ^ b ^ result) & 16) != 0) image |= 16;
        if (result == 0) image |= 64;
        if ((result & top) != 0) image |= 128;
        if (overflow) image |= 2048;
        return image;
    }

    private static ulong Extend(ulong value, int bits) => (ulong)((long)(value << (64 - bits)) >> (64 - bits));

    private static ulong Near(SeededGenerator random) => random.OneIn(2) ? random.Next()
        : (1UL << random.Below(64)) + (ulong)random.Between(-2, 2);

    private readonly record struct UInt128Pair(ulong A, ulong B)
    {
        public bool CarryOut(int bits) => ((System.UInt128)A + B) >> bits != 0;
    }
}
