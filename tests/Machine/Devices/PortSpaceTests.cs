using NUnit.Framework;
using Pagoda.Machine.Devices;

namespace Pagoda.Tests.Machine.Devices;

public sealed class PortSpaceTests
{
    private CollectingSink _sink = null!;
    private SerialConsole _console = null!;
    private PortSpace _ports = null!;

    [SetUp]
    public void MakePorts()
    {
        _sink = new CollectingSink();
        _console = new SerialConsole(_sink, new TextMatcher([]));
        _ports = new PortSpace(_console);
    }

    [TestCase(0x2F8)]
    [TestCase(0x70)]
    [TestCase(0xCF9)]
    [TestCase(0xFFFF)]
    public void UnclaimedPortsReadOnesDropWritesAndAreCounted(int port)
    {
        Assert.That(_ports.Read(port, 1, 0), Is.EqualTo(0xFF));
        Assert.That(_ports.Read(port, 2, 0), Is.EqualTo(0xFFFF));
        _ports.Write(port, 1, 0x12, 0);
        Assert.That(_ports.Read(port, 1, 0), Is.EqualTo(0xFF));
        Assert.That(_ports.UnclaimedReads, Is.EqualTo(4));
        Assert.That(_ports.UnclaimedWrites, Is.EqualTo(1));
    }

    [Test]
    public void SerialBytesArriveAlsoByWiderWrites()
    {
        _ports.Write(0x3F8, 1, 'A', 0);
        _ports.Write(0x3F8, 2, 'B', 0);
        _console.Flush();
        Assert.That(_sink.Text, Is.EqualTo("AB"));
        Assert.That(_ports.Read(0x3FD, 1, 0), Is.EqualTo(0x60));
        Assert.That(_ports.Read(0x3F8 + 5, 4, 0), Is.EqualTo(0xFF00B060), "LSR, MSR, scratch, and a port beyond");
        Assert.That(_ports.UnclaimedReads, Is.EqualTo(1));
    }

    [Test]
    public void PciHasNoDevices()
    {
        _ports.Write(0xCF8, 4, 0x80001234, 0);
        Assert.That(_ports.Read(0xCF8, 4, 0), Is.EqualTo(0x80001234));
        Assert.That(_ports.Read(0xCFC, 4, 0), Is.EqualTo(0xFFFFFFFF));
        Assert.That(_ports.Read(0xCFE, 2, 0), Is.EqualTo(0xFFFF));
        _ports.Write(0xCFC, 4, 0, 0);
        Assert.That(_ports.UnclaimedReads + _ports.UnclaimedWrites, Is.Zero);
        Assert.That(_ports.Read(0xCF8, 1, 0), Is.EqualTo(0xFF), "the address register answers whole accesses only");
    }

    [Test]
    public void TheTimerAnswersThroughPort61()
    {
        _ports.Write(0x61, 1, 1, 0);
        _ports.Write(0x43, 1, 0xB0, 0);
        _ports.Write(0x42, 1, 0x0B, 0);
        _ports.Write(0x42, 1, 0xE9, 0);
        Assert.That(_ports.Read(0x61, 1, 49_000_000) & 0x20, Is.Zero);
        Assert.That(_ports.Read(0x61, 1, 51_000_000) & 0x21, Is.EqualTo(0x21));
        Assert.That(_ports.Read(0x42, 1, 51_000_000), Is.Not.EqualTo(0x0B));
    }

    [Test]
    public void TheKeyboardControllerIsIdleAndTakesAReset()
    {
        Assert.That(_ports.Read(0x64, 1, 0) & 3, Is.Zero);
        Assert.That(_ports.Read(0x60, 1, 0), Is.Zero);
        Assert.That(_ports.Keyboard.IsResetAsked, Is.False);
        _ports.Write(0x60, 1, 0xFE, 0);
        Assert.That(_ports.Keyboard.IsResetAsked, Is.False);
        _ports.Write(0x64, 1, 0xFE, 0);
        Assert.That(_ports.Keyboard.IsResetAsked, Is.True);
    }
}
