using System.IO;
using System.Text;
using NUnit.Framework;
using Pagoda.Machine.Replay;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Machine.Replay;

public sealed class LackeyReaderTests
{
    [Test]
    public void EveryKindIsReadAndOtherLinesAreSkipped()
    {
        const string Text = """
            ==1== Lackey, an example Valgrind tool
            I  0401ab70,3
             L 1ffeffe7e,8
             S 1ffeffe78,16
             M 0421f010,4
            total 42

            I  0401ab73,5
            """;
        TraceRecord[] expected =
        [
            new(0x0401ab70, 3, TraceKind.Fetch), new(0x1ffeffe7e, 8, TraceKind.Load),
            new(0x1ffeffe78, 16, TraceKind.Store), new(0x0421f010, 4, TraceKind.Modify),
            new(0x0401ab73, 5, TraceKind.Fetch),
        ];
        foreach (int step in new[] { 1, 7, 1000 })
        {
            using var stream = new TraceTexts.Dripping(Encoding.ASCII.GetBytes(Text), step);
            Assert.That(TraceTexts.Parse(stream, out ulong skipped), Is.EqualTo(expected));
            Assert.That(skipped, Is.EqualTo(3));
        }
    }

    [TestCase("I  ,3")]
    [TestCase("I  12g4,3")]
    [TestCase("I  1234")]
    [TestCase("I  1234,")]
    [TestCase("I  1234,0")]
    [TestCase("I  1234,4097")]
    [TestCase("I  1234,99999999999999999999")]
    [TestCase("I  12345678123456781,3")]
    [TestCase("I  ffffffffffffffff,2")]
    [TestCase(" L 1234,3 and more")]
    [TestCase(" X 1234,3")]
    [TestCase("L 1234,3")]
    [TestCase("I")]
    public void ALineThatOnlyStartsLikeAnAccessIsNone(string line)
    {
        using var stream = new MemoryStream(Encoding.ASCII.GetBytes(line + "\n L 10,1\n"));
        Assert.That(TraceTexts.Parse(stream, out ulong skipped),
            Is.EqualTo(new[] { new TraceRecord(0x10, 1, TraceKind.Load) }));
        Assert.That(skipped, Is.EqualTo(1));
    }

    [Test]
    public void CarriageReturnsAreLeftOut()
    {
        using var stream = new MemoryStream(Encoding.ASCII.GetBytes("I  1000,3\r\nI  1003,2\r\n"));
        Assert.That(TraceTexts.Parse(stream, out ulong skipped), Has.Length.EqualTo(2));
        Assert.That(skipped, Is.Zero);
    }

    [Test]
    public void ALineLongerThanTheBufferIsOneLine()
    {
        byte[] text = Encoding.ASCII.GetBytes(new string('x', 3 << 20) + " I  1,1\n L 2000,8\n");
        using var stream = new MemoryStream(text);
        Assert.That(TraceTexts.Parse(stream, out ulong skipped), Has.Length.EqualTo(1));
        Assert.That(skipped, Is.EqualTo(1));
    }

    [Test]
    public void LongTextsAreReadWholeHoweverTheyArrive()
    {
        TraceRecord[] records = TraceTexts.Program(new SeededGenerator(7), 100_000, heapPages: 500);
        byte[] text = Encoding.ASCII.GetBytes(TraceTexts.Text(records));
        foreach (int step in new[] { 1021, 65_536, int.MaxValue })
        {
            using var stream = new TraceTexts.Dripping(text, step);
            Assert.That(TraceTexts.Parse(stream, out _), Is.EqualTo(records), "step " + step);
        }
    }
}
