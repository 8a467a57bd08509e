using Pagoda.Core;

namespace Pagoda.Machine.Devices;

/// <summary>Follows a stream of bytes to a terminal and tells whether it stands inside a control sequence.</summary>
/// <remarks>ECMA-48 §5.3, §5.4: ESC and one byte, or ESC [ up to a byte from 40h to 7Eh. One host thread.</remarks>
[AllocationFree]
public struct ControlSequence
{
    private const byte Escape = 0x1B;
    private State _state;

    private enum State : byte
    {
        Text,
        Escaped,
        Control,
    }

    /// <summary>True between the first and the last byte of a sequence.</summary>
    public readonly bool IsInside => _state != State.Text;

    /// <summary>Takes the next byte.</summary>
    public void Next(byte value) => _state = value == Escape ? State.Escaped : _state switch
    {
        State.Escaped when value == '[' => State.Control,
        State.Control when value is < 0x40 or > 0x7E => State.Control,
        _ => State.Text,
    };
}
