using Pagoda.Core;

namespace Pagoda.Machine.Devices;

/// <summary>
/// The machine's 64 Ki ports: serial line, timer, port 61h, keyboard controller status and PCI configuration. Every
/// other port reads ones, drops writes and is counted.
/// </summary>
/// <remarks>Byte-wide devices see a wider access as bytes, lowest port first. One host thread.</remarks>
[AllocationFree]
public sealed class PortSpace
{
    private const int PortMax = 0xFFFF;
    private readonly Uart16550 _uart;
    private readonly Pit8254 _pit = new();
    private readonly SystemControlPort _systemControl;
    private readonly PciConfiguration _pci = new();

    /// <summary>A port space whose serial line ends at <paramref name="console"/>.</summary>
    public PortSpace(SerialConsole console)
    {
        _uart = new Uart16550(console);
        _systemControl = new SystemControlPort(_pit);
    }

    /// <summary>The keyboard controller, which can ask for the machine's end.</summary>
    public KeyboardController Keyboard { get; } = new();

    /// <summary>Byte reads of ports that nothing answers.</summary>
    public ulong UnclaimedReads { get; private set; }

    /// <summary>Byte writes of ports that nothing answers.</summary>
    public ulong UnclaimedWrites { get; private set; }

    /// <summary>Reads 1, 2 or 4 bytes at virtual time <paramref name="now"/> in nanoseconds.</summary>
    public uint Read(int port, int size, ulong now)
    {
        if (port == PciConfiguration.AddressPort && size == sizeof(uint)) return _pci.ReadAddress();
        uint value = 0;
        for (int i = 0; i < size; i++) value |= (uint)ReadByte(port + i, now) << (8 * i);
        return value;
    }

    /// <summary>Writes 1, 2 or 4 bytes at virtual time <paramref name="now"/> in nanoseconds.</summary>
    public void Write(int port, int size, uint value, ulong now)
    {
        if (port == PciConfiguration.AddressPort && size == sizeof(uint))
        {
            _pci.WriteAddress(value);
            return;
        }
        for (int i = 0; i < size; i++) WriteByte(port + i, (byte)(value >> (8 * i)), now);
    }

    private byte ReadByte(int port, ulong now)
    {
        switch (port)
        {
            case >= Uart16550.BasePort and < Uart16550.BasePort + Uart16550.PortCount:
                return _uart.Read(port - Uart16550.BasePort);
            case >= Pit8254.BasePort and <= Pit8254.ControlPort:
                return _pit.Read(port, now);
            case SystemControlPort.Port:
                return _systemControl.Read(now);
            case KeyboardController.DataPort or KeyboardController.StatusPort:
                return Keyboard.Read(port);
            case >= PciConfiguration.DataPort and < PciConfiguration.DataPort + sizeof(uint):
                return byte.MaxValue;       // no device behind any address
            default:
                UnclaimedReads++;
                return byte.MaxValue;
        }
    }

    private void WriteByte(int port, byte value, ulong now)
    {
        switch (port)
        {
            case >= Uart16550.BasePort and < Uart16550.BasePort + Uart16550.PortCount:
                _uart.Write(port - Uart16550.BasePort, value);
                break;
            case >= Pit8254.BasePort and <= Pit8254.ControlPort:
                _pit.Write(port, value, now);
                break;
            case SystemControlPort.Port:
                _systemControl.Write(value, now);
                break;
            case KeyboardController.DataPort or KeyboardController.StatusPort:
                Keyboard.Write(port, value);
                break;
            case >= PciConfiguration.DataPort and < PciConfiguration.DataPort + sizeof(uint):
                break;                      // no device behind any address
            default:
                Invariant.Assert(port <= PortMax + sizeof(uint));
                UnclaimedWrites++;
                break;
        }
    }
}
