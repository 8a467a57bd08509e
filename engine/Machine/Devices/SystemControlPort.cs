using Pagoda.Core;

namespace Pagoda.Machine.Devices;

/// <summary>
/// Port 61h: the gate of timer 2 (bit 0), the speaker (bit 1), a bit that toggles with each memory refresh (bit 4,
/// every 15,085 ns as on the original machine) and the output of timer 2 (bit 5).
/// </summary>
/// <remarks>One host thread.</remarks>
[AllocationFree]
public sealed class SystemControlPort(Pit8254 pit)
{
    /// <summary>The port.</summary>
    public const int Port = 0x61;

    private const int TimerChannel = 2;
    private const byte TimerGate = 0x01;
    private const byte Writable = 0x03;
    private const byte RefreshToggle = 0x10;
    private const byte TimerOutput = 0x20;
    private const ulong RefreshNanoseconds = 15_085;
    private byte _control;

    /// <summary>Reads the port at virtual time <paramref name="now"/> in nanoseconds.</summary>
    public byte Read(ulong now)
    {
        int value = _control;
        if ((now / RefreshNanoseconds & 1) != 0) value |= RefreshToggle;
        if (pit.Output(TimerChannel, now)) value |= TimerOutput;
        return (byte)value;
    }

    /// <summary>Writes the port at virtual time <paramref name="now"/> in nanoseconds.</summary>
    public void Write(byte value, ulong now)
    {
        _control = (byte)(value & Writable);
        pit.SetGate(TimerChannel, (value & TimerGate) != 0, now);
    }
}
