using NUnit.Framework;
using Pagoda.Cli;

namespace Pagoda.Tests.Cli;

public sealed class HexTests
{
    [TestCase("0", 0UL)]
    [TestCase("0x105e", 0x105EUL)]
    [TestCase("0XABCdef", 0xABCDEFUL)]
    [TestCase("ffffffffffffffff", ulong.MaxValue)]
    public void NumbersAreRead(string text, ulong value)
    {
        Assert.That(Hex.TryParse(text, out ulong read), Is.True);
        Assert.That(read, Is.EqualTo(value));
    }

    [TestCase(null)]
    [TestCase("")]
    [TestCase("0x")]
    [TestCase("0x0x1")]
    [TestCase("-1")]
    [TestCase(" 1")]
    [TestCase("10000000000000000")]
    public void OtherTextIsNot(string? text) => Assert.That(Hex.TryParse(text, out _), Is.False);

    [Test]
    public void NumbersAreWritten()
    {
        Assert.That(Hex.Text(0x105E), Is.EqualTo("0x105e"));
        Assert.That(Hex.Wide(0x105E), Is.EqualTo("0x000000000000105e"));
    }
}
