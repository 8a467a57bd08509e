using System;
using NUnit.Framework;
using Pagoda.Cli;

namespace Pagoda.Tests.Cli;

public sealed class QuantityTests
{
    [TestCase("0", 0UL)]
    [TestCase("4096", 4096UL)]
    [TestCase("16K", 16384UL)]
    [TestCase("64M", 64UL << 20)]
    [TestCase("2g", 2UL << 30)]
    [TestCase("1T", 1UL << 40)]
    [TestCase("18446744073709551615", ulong.MaxValue)]
    [TestCase("17592186044415M", 17592186044415UL << 20)]
    public void SizesAreBytesOrPowersOf1024(string text, ulong bytes)
    {
        Assert.That(Quantity.TryParseSize(text, out ulong parsed), Is.True);
        Assert.That(parsed, Is.EqualTo(bytes));
    }

    [TestCase("")]
    [TestCase("M")]
    [TestCase("-1")]
    [TestCase("1.5G")]
    [TestCase("64MB")]
    [TestCase("64 M")]
    [TestCase("0x1000")]
    [TestCase("18446744073709551616")]
    [TestCase("17592186044416M")]
    [TestCase("٣M")]
    public void OtherSizesAreRefused(string text) => Assert.That(Quantity.TryParseSize(text, out _), Is.False);

    [TestCase("10m", 600_000)]
    [TestCase("90s", 90_000)]
    [TestCase("90", 90_000)]
    [TestCase("1h30m", 5_400_000)]
    [TestCase("250ms", 250)]
    [TestCase("1s500ms", 1500)]
    public void DurationsAreNumbersWithUnits(string text, long milliseconds)
    {
        Assert.That(Quantity.TryParseDuration(text, out TimeSpan parsed), Is.True);
        Assert.That(parsed, Is.EqualTo(TimeSpan.FromMilliseconds(milliseconds)));
    }

    [TestCase("")]
    [TestCase("0")]
    [TestCase("0s")]
    [TestCase("-5s")]
    [TestCase("5x")]
    [TestCase("m")]
    [TestCase("1h30")]
    [TestCase("5 s")]
    [TestCase("99999999999999999999s")]
    [TestCase("9000000h")]
    public void OtherDurationsAreRefused(string text) => Assert.That(Quantity.TryParseDuration(text, out _), Is.False);
}
