using NUnit.Framework;
using Pagoda.Machine.Replay;

namespace Pagoda.Tests.Machine.Replay;

public sealed class TraceFormatTests
{
    [Test]
    public void EverySizeWithACodeComesBack()
    {
        int coded = 0;
        for (int size = 1; size <= TraceRecord.SizeMax; size++)
        {
            int code = TraceFormat.CodeOf(size);
            Assert.That(code, Is.LessThan(16));
            if (code == TraceFormat.SizeExplicit) continue;
            coded++;
            Assert.That(TraceFormat.SizeOf(code), Is.EqualTo(size));
        }
        Assert.That(coded, Is.EqualTo(15));
    }

    [TestCase(0L, 0UL)]
    [TestCase(-1L, 1UL)]
    [TestCase(1L, 2UL)]
    [TestCase(long.MinValue, ulong.MaxValue)]
    [TestCase(long.MaxValue, ulong.MaxValue - 1)]
    public void NumbersOfBothSignsAreNumbersOfOne(long value, ulong folded)
    {
        Assert.That(TraceFormat.ZigZag(value), Is.EqualTo(folded));
        Assert.That(TraceFormat.UnZigZag(folded), Is.EqualTo(value));
    }
}
