using Pagoda.Core;

namespace Pagoda.Machine.Devices;

/// <summary>
/// A 16550 serial port that is polled: it is always ready to send, never receives and raises no interrupt. Loop-back
/// (MCR bit 4) returns the sent byte and the modem lines, as drivers probe for.
/// </summary>
/// <remarks>Registers as in the PC16550D data sheet, table II. One host thread.</remarks>
[AllocationFree]
public sealed class Uart16550(SerialConsole console)
{
    /// <summary>The first port of the first serial line.</summary>
    public const int BasePort = 0x3F8;

    /// <summary>Ports of one serial line.</summary>
    public const int PortCount = 8;

    private const byte LineDivisorAccess = 0x80;
    private const byte LineStatusDataReady = 0x01;
    private const byte LineStatusTransmitEmpty = 0x60;     // holding register and shift register
    private const byte ModemLoop = 0x10;
    private const byte ModemLinesConnected = 0xB0;          // DCD, DSR, CTS
    private const byte InterruptNone = 0x01;
    private const byte InterruptTransmitEmpty = 0x02;
    private const byte InterruptFifoEnabled = 0xC0;
    private const byte EnableTransmitEmpty = 0x02;

    private byte _interruptEnable;
    private byte _fifoControl;
    private byte _lineControl;
    private byte _modemControl;
    private byte _scratch;
    private byte _divisorLow = 1;
    private byte _divisorHigh;
    private byte _looped;
    private bool _hasLooped;

    private bool IsDivisorAccess => (_lineControl & LineDivisorAccess) != 0;

    private bool IsLoop => (_modemControl & ModemLoop) != 0;

    /// <summary>Reads register 0 to 7.</summary>
    public byte Read(int register) => register switch
    {
        0 => IsDivisorAccess ? _divisorLow : TakeReceived(),
        1 => IsDivisorAccess ? _divisorHigh : _interruptEnable,
        2 => InterruptIdentification(),
        3 => _lineControl,
        4 => _modemControl,
        5 => (byte)(LineStatusTransmitEmpty | (_hasLooped ? LineStatusDataReady : 0)),
        6 => IsLoop ? LoopedModemLines() : ModemLinesConnected,
        _ => _scratch,
    };

    /// <summary>Writes register 0 to 7.</summary>
    public void Write(int register, byte value)
    {
        switch (register)
        {
            case 0 when IsDivisorAccess: _divisorLow = value; break;
            case 0: Transmit(value); break;
            case 1 when IsDivisorAccess: _divisorHigh = value; break;
            case 1: _interruptEnable = (byte)(value & 0x0F); break;
            case 2: _fifoControl = value; break;
            case 3: _lineControl = value; break;
            case 4: _modemControl = (byte)(value & 0x1F); break;
            case 7: _scratch = value; break;
            default: break;     // line and modem status are read-only
        }
    }

    private void Transmit(byte value)
    {
        if (!IsLoop)
        {
            console.Send(value);
            return;
        }
        _looped = value;
        _hasLooped = true;
    }

    private byte TakeReceived()
    {
        _hasLooped = false;
        return _looped;
    }

    private byte InterruptIdentification()
    {
        int fifo = (_fifoControl & 1) != 0 ? InterruptFifoEnabled : 0;
        int pending = (_interruptEnable & EnableTransmitEmpty) != 0 ? InterruptTransmitEmpty : InterruptNone;
        return (byte)(fifo | pending);
    }

    // In loop-back RTS drives CTS, DTR drives DSR, OUT1 drives RI and OUT2 drives DCD.
    private byte LoopedModemLines()
    {
        int control = _modemControl;
        int handshake = (control & 0x02) << 3 | (control & 0x01) << 5;
        return (byte)(handshake | (control & 0x0C) << 4);
    }
}
