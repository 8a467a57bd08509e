using System.IO;
using NUnit.Framework;
using Pagoda.Machine.Replay;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Machine.Replay;

public sealed class CompactReaderTests
{
    [Test]
    public void WhatWasWrittenIsReadHoweverItArrives()
    {
        TraceRecord[] records = TraceTexts.Program(new SeededGenerator(3), 100_000, heapPages: 3000);
        byte[] bytes = TraceTexts.Compact(records);
        foreach (int step in new[] { 13, 65_536, int.MaxValue })
        {
            using var stream = new TraceTexts.Dripping(bytes, step);
            using var input = new TraceInput(stream);
            Assert.That(CompactReader.IsCompact(input), Is.True);
            Assert.That(TraceTexts.All(new CompactReader(input), 777), Is.EqualTo(records), "step " + step);
        }
    }

    [Test]
    public void ATextIsNotOfTheCompactForm()
    {
        using var stream = new MemoryStream("I  0401ab70,3\n L 1000,8\n"u8.ToArray());
        using var input = new TraceInput(stream);
        Assert.That(CompactReader.IsCompact(input), Is.False);
        Assert.That(() => new CompactReader(input), Throws.TypeOf<TraceException>());
    }

    [Test]
    public void AnotherVersionIsRefused()
    {
        byte[] bytes = TraceTexts.Compact([new TraceRecord(1, 1, TraceKind.Load)]);
        bytes[8] = 2;
        using var stream = new MemoryStream(bytes);
        using var input = new TraceInput(stream);
        Assert.That(() => new CompactReader(input),
            Throws.TypeOf<TraceException>().With.Message.Contains("of version 2, not 1"));
    }

    // A record cut short, a size of zero, one of more than a page, a number without an end, one past all addresses.
    [TestCase(new byte[] { 0x1C, 0x80 }, "ends inside a record")]
    [TestCase(new byte[] { 0x01, 0, 0 }, "an access has 0 bytes")]
    [TestCase(new byte[] { 0x01, 0xFF, 0xFF }, "an access has 65535 bytes")]
    [TestCase(new byte[] { 0x1C, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1 }, "too many bytes")]
    [TestCase(new byte[] { 0x24, 0xFF }, "past the last address")]
    public void ADamagedTraceIsRefusedWithThePlace(byte[] record, string message)
    {
        byte[] header = TraceTexts.Compact([]);
        using var stream = new MemoryStream([.. header, .. record]);
        using var input = new TraceInput(stream);
        var reader = new CompactReader(input);
        Assert.That(() => TraceTexts.All(reader, 10), Throws.TypeOf<TraceException>()
            .With.Message.Contains(message).And.Message.Contains("behind byte 16"));
    }
}
