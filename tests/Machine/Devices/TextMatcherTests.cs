using System.Text;
using NUnit.Framework;
using Pagoda.Machine.Devices;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Machine.Devices;

public sealed class TextMatcherTests
{
    [TestCase("abc", "xxabcxx", 5)]
    [TestCase("aab", "aaab", 4)]
    [TestCase("abab", "abaabab", 7)]
    [TestCase("Pass:  1", "Pass:   Pass:  1", 16)]
    [TestCase("a", "a", 1)]
    [TestCase("abc", "ababab", -1)]
    [TestCase("", "anything", -1)]
    public void TheTextIsFoundAtItsLastByte(string text, string stream, int foundAfter)
    {
        Assert.That(FoundAfter(text, stream), Is.EqualTo(foundAfter));
    }

    [Test]
    public void AFoundTextStaysFound()
    {
        var matcher = new TextMatcher("ab"u8);
        foreach (byte value in "abzzzab"u8) matcher.Next(value);
        Assert.That(matcher.IsFound, Is.True);
    }

    [Test]
    public void ItAgreesWithASearchOfTheWholeStream()
    {
        var random = new SeededGenerator(0x7E47);
        for (int round = 0; round < 3000; round++)
        {
            string text = Letters(random, random.Between(1, 6));
            string stream = Letters(random, random.Between(0, 40));
            int at = stream.IndexOf(text, System.StringComparison.Ordinal);
            int expected = at < 0 ? -1 : at + text.Length;
            Assert.That(FoundAfter(text, stream), Is.EqualTo(expected), $"'{text}' in '{stream}', {random}");
        }
    }

    private static string Letters(SeededGenerator random, int count)
    {
        var text = new StringBuilder();
        for (int i = 0; i < count; i++) text.Append((char)('a' + random.Below(2)));
        return text.ToString();
    }

    private static int FoundAfter(string text, string stream)
    {
        var matcher = new TextMatcher(Encoding.ASCII.GetBytes(text));
        for (int i = 0; i < stream.Length; i++)
        {
            matcher.Next((byte)stream[i]);
            if (matcher.IsFound) return i + 1;
        }
        return -1;
    }
}
