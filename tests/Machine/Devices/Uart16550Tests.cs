using NUnit.Framework;
using Pagoda.Machine.Devices;

namespace Pagoda.Tests.Machine.Devices;

public sealed class Uart16550Tests
{
    private const int Data = 0;
    private const int InterruptEnable = 1;
    private const int Identification = 2;
    private const int LineControl = 3;
    private const int ModemControl = 4;
    private const int LineStatus = 5;
    private const int ModemStatus = 6;
    private const int Scratch = 7;

    private CollectingSink _sink = null!;
    private SerialConsole _console = null!;
    private Uart16550 _uart = null!;

    [SetUp]
    public void MakePort()
    {
        _sink = new CollectingSink();
        _console = new SerialConsole(_sink, new TextMatcher([]));
        _uart = new Uart16550(_console);
    }

    [Test]
    public void WrittenBytesAreSentAndTheLineIsAlwaysReady()
    {
        _uart.Write(Data, (byte)'o');
        _uart.Write(Data, (byte)'k');
        _console.Flush();
        Assert.That(_sink.Text, Is.EqualTo("ok"));
        Assert.That(_uart.Read(LineStatus), Is.EqualTo(0x60));
    }

    [Test]
    public void TheDivisorIsReachedThroughTheAccessBitAndSendsNothing()
    {
        _uart.Write(LineControl, 0x83);
        _uart.Write(Data, 0x34);
        _uart.Write(InterruptEnable, 0x12);
        Assert.That(_uart.Read(Data), Is.EqualTo(0x34));
        Assert.That(_uart.Read(InterruptEnable), Is.EqualTo(0x12));
        _uart.Write(LineControl, 0x03);
        Assert.That(_uart.Read(InterruptEnable), Is.Zero);
        _console.Flush();
        Assert.That(_sink.Text, Is.Empty);
    }

    [Test]
    public void ScratchAndModesReadBackWithTheirWritableBits()
    {
        _uart.Write(Scratch, 0xA5);
        _uart.Write(InterruptEnable, 0xFF);
        _uart.Write(ModemControl, 0xEF);
        Assert.That(_uart.Read(Scratch), Is.EqualTo(0xA5));
        Assert.That(_uart.Read(InterruptEnable), Is.EqualTo(0x0F));
        Assert.That(_uart.Read(ModemControl), Is.EqualTo(0x0F));
    }

    [Test]
    public void TheFifoAndAnEmptyTransmitterAreIdentified()
    {
        Assert.That(_uart.Read(Identification), Is.EqualTo(0x01));
        _uart.Write(Identification, 0x01);
        Assert.That(_uart.Read(Identification), Is.EqualTo(0xC1));
        _uart.Write(InterruptEnable, 0x02);
        Assert.That(_uart.Read(Identification), Is.EqualTo(0xC2));
    }

    [Test]
    public void LoopBackReturnsTheByteAndTheModemLines()
    {
        Assert.That(_uart.Read(ModemStatus), Is.EqualTo(0xB0));
        _uart.Write(ModemControl, 0x1A);
        Assert.That(_uart.Read(ModemStatus), Is.EqualTo(0x90), "RTS to CTS, OUT2 to DCD");
        _uart.Write(Data, 0x5A);
        Assert.That(_uart.Read(LineStatus), Is.EqualTo(0x61));
        Assert.That(_uart.Read(Data), Is.EqualTo(0x5A));
        Assert.That(_uart.Read(LineStatus), Is.EqualTo(0x60));
        _console.Flush();
        Assert.That(_sink.Text, Is.Empty);
    }
}
