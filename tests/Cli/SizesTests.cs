using NUnit.Framework;
using Pagoda.Cli;

namespace Pagoda.Tests.Cli;

public sealed class SizesTests
{
    [TestCase(0UL, "0 B")]
    [TestCase(1000UL, "1000 B")]
    [TestCase(4096UL, "4 KiB")]
    [TestCase(1536UL << 20, "1536 MiB")]
    [TestCase((1UL << 48) - 4096, "255.9 TiB")]
    [TestCase(1UL << 63, "8 EiB")]
    [TestCase(ulong.MaxValue, "15.9 EiB")]
    public void SizesAreWrittenInTheLargestFittingUnit(ulong bytes, string text) =>
        Assert.That(Sizes.Text(bytes), Is.EqualTo(text));
}
