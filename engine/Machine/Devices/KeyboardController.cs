using Pagoda.Core;

namespace Pagoda.Machine.Devices;

/// <summary>
/// The status side of an 8042 keyboard controller without a keyboard: its buffers are always empty. Command FEh pulses
/// the reset line, which the machine takes as the guest's wish to end.
/// </summary>
/// <remarks>One host thread.</remarks>
[AllocationFree]
public sealed class KeyboardController
{
    /// <summary>The data port.</summary>
    public const int DataPort = 0x60;

    /// <summary>The status and command port.</summary>
    public const int StatusPort = 0x64;

    // System flag: the power-on test has passed. Bit 4: the keyboard is not locked.
    private const byte StatusIdle = 0x14;
    private const byte CommandPulseReset = 0xFE;

    /// <summary>True once the guest pulsed the reset line.</summary>
    public bool IsResetAsked { get; private set; }

    /// <summary>Reads the data or the status port.</summary>
    public byte Read(int port) => port == StatusPort ? StatusIdle : (byte)0;

    /// <summary>Writes the data or the command port.</summary>
    public void Write(int port, byte value)
    {
        if (port == StatusPort && value == CommandPulseReset) IsResetAsked = true;
    }
}
