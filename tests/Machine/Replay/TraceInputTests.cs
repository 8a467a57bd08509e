using System.IO;
using NUnit.Framework;
using Pagoda.Machine.Replay;

namespace Pagoda.Tests.Machine.Replay;

public sealed unsafe class TraceInputTests
{
    [Test]
    public void BytesComeInOrderAndZerosLieBehindThem()
    {
        using var stream = new TraceTexts.Dripping([1, 2, 3, 4, 5], 2);
        using var input = new TraceInput(stream);
        Assert.That(input.Ensure(3), Is.True);
        Assert.That(input.Next[2], Is.EqualTo(3));
        input.Skip(3);
        Assert.That(input.Position, Is.EqualTo(3));
        Assert.That(input.Ensure(3), Is.False);
        Assert.That(input.IsEnded, Is.True);
        Assert.That(input.Length, Is.EqualTo(2));
        Assert.That(input.Next[1], Is.EqualTo(5));
        for (int i = 0; i < TraceInput.Padding; i++) Assert.That(input.Next[2 + i], Is.Zero);
    }

    [Test]
    public void AnEmptyStreamIsEndedAtOnce()
    {
        using var stream = new MemoryStream();
        using var input = new TraceInput(stream);
        Assert.That(input.Ensure(1), Is.False);
        Assert.That(input.IsEnded, Is.True);
    }
}
