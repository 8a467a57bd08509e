using NUnit.Framework;
using Pagoda.Machine.Devices;

namespace Pagoda.Tests.Machine.Devices;

public sealed class ControlSequenceTests
{
    [TestCase("text", false)]
    [TestCase("\u001b", true)]
    [TestCase("\u001b[", true)]
    [TestCase("\u001b[12;3", true)]
    [TestCase("\u001b[12;3H", false)]
    [TestCase("\u001b[?25l", false)]
    [TestCase("\u001b7", false)]
    [TestCase("\u001b[1\u001b[2J", false)]
    public void ASequenceEndsWithItsFinalByte(string stream, bool inside)
    {
        var sequence = new ControlSequence();
        foreach (char value in stream) sequence.Next((byte)value);
        Assert.That(sequence.IsInside, Is.EqualTo(inside));
    }
}
