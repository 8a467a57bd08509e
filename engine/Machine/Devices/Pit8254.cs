using Pagoda.Core;

namespace Pagoda.Machine.Devices;

/// <summary>
/// An 8254 interval timer that derives everything from virtual time: nothing ticks, a counter is computed when it is
/// looked at. Its interrupt line leads nowhere, because the machine has no interrupt controller.
/// </summary>
/// <remarks>
/// Intel 8254 data sheet (231164), all six modes, binary and BCD, latches and read-back. One departure: a count
/// written while a periodic mode runs takes effect at once, not at the period's end. One host thread.
/// </remarks>
[AllocationFree]
public sealed class Pit8254
{
    /// <summary>The first of three counter ports.</summary>
    public const int BasePort = 0x40;

    /// <summary>The control port.</summary>
    public const int ControlPort = 0x43;

    /// <summary>Counts a second: a third of the NTSC colour subcarrier.</summary>
    public const ulong Frequency = 1_193_182;

    private const int ChannelCount = 3;
    private const int ReadBackSelect = 3;
    private const byte ReadBackNoCount = 0x20;
    private const byte ReadBackNoStatus = 0x10;
    private const ulong NanosecondsPerSecond = 1_000_000_000;
    private readonly PitChannel[] _channels = new PitChannel[ChannelCount];

    /// <summary>A timer as after reset: no counter is programmed; the gates of 0 and 1 are tied high.</summary>
    public Pit8254()
    {
        _channels[0].Gate = true;
        _channels[1].Gate = true;
    }

    /// <summary>Whole counts since virtual time 0; exact for every time.</summary>
    public static ulong CountsAt(ulong now) =>
        now / NanosecondsPerSecond * Frequency + now % NanosecondsPerSecond * Frequency / NanosecondsPerSecond;

    /// <summary>Reads counter 0 to 2, or the control port, which has nothing to read.</summary>
    public byte Read(int port, ulong now) =>
        port == ControlPort ? byte.MaxValue : _channels[port - BasePort].Read(CountsAt(now));

    /// <summary>Writes counter 0 to 2 or the control port.</summary>
    public void Write(int port, byte value, ulong now)
    {
        if (port != ControlPort)
        {
            _channels[port - BasePort].Write(value, CountsAt(now));
            return;
        }
        int select = value >> 6;
        if (select != ReadBackSelect)
        {
            _channels[select].Control(value, CountsAt(now));
            return;
        }
        for (int channel = 0; channel < ChannelCount; channel++)
        {
            if ((value & (2 << channel)) == 0) continue;
            if ((value & ReadBackNoCount) == 0) _channels[channel].LatchCount(CountsAt(now));
            if ((value & ReadBackNoStatus) == 0) _channels[channel].LatchStatus(CountsAt(now));
        }
    }

    /// <summary>The output line of a channel.</summary>
    public bool Output(int channel, ulong now) => _channels[channel].Output(CountsAt(now));

    /// <summary>Drives the gate of a channel; a rising edge triggers the modes that wait for one.</summary>
    public void SetGate(int channel, bool level, ulong now) => _channels[channel].SetGate(level, CountsAt(now));
}
