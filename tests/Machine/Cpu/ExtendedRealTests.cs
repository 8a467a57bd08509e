using System;
using NUnit.Framework;
using Pagoda.Machine.Cpu;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Machine.Cpu;

public sealed class ExtendedRealTests
{
    [TestCase(1.0, 0x8000_0000_0000_0000UL, 0x3FFF)]
    [TestCase(-2.0, 0x8000_0000_0000_0000UL, 0xC000)]
    [TestCase(0.1, 0xCCCC_CCCC_CCCC_D000UL, 0x3FFB)]
    [TestCase(0.0, 0UL, 0)]
    [TestCase(double.PositiveInfinity, 0x8000_0000_0000_0000UL, 0x7FFF)]
    [TestCase(double.Epsilon, 0x8000_0000_0000_0000UL, 0x3BCD)]
    public void DoublesBecomeTheirExtendedForm(double value, ulong significand, int top)
    {
        Assert.That(ExtendedReal.FromDouble(value, out ushort found), Is.EqualTo(significand));
        Assert.That(found, Is.EqualTo(top));
        Assert.That(ExtendedReal.ToDouble(significand, (ushort)top), Is.EqualTo(value));
    }

    [Test]
    public void EveryDoubleSurvivesTheRoundTrip()
    {
        var random = new SeededGenerator(81);
        for (int i = 0; i < 5000; i++)
        {
            double value = BitConverter.UInt64BitsToDouble(random.Next());
            ulong significand = ExtendedReal.FromDouble(value, out ushort top);
            double back = ExtendedReal.ToDouble(significand, top);
            if (double.IsNaN(value)) Assert.That(double.IsNaN(back), Is.True, random.ToString());
            else Assert.That(back, Is.EqualTo(value), random.ToString());
        }
    }

    [Test]
    public void TooLargeExponentsBecomeInfinity() =>
        Assert.That(ExtendedReal.ToDouble(1UL << 63, 0x7FFE), Is.EqualTo(double.PositiveInfinity));
}
