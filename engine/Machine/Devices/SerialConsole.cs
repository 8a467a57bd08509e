using System;
using Pagoda.Core;

namespace Pagoda.Machine.Devices;

/// <summary>The far end of the serial line: keeps the last bytes, looks for the awaited text, feeds the sink.</summary>
/// <remarks>
/// Bytes wait in a buffer and reach the sink when it is full or at <see cref="Flush"/>. One host thread.
/// </remarks>
[AllocationFree]
public sealed class SerialConsole(IConsoleSink sink, TextMatcher until)
{
    /// <summary>Bytes of the line's end that are kept.</summary>
    public const int TailBytes = 4096;

    private const int PendingBytes = 4096;
    private readonly byte[] _tail = new byte[TailBytes];
    private readonly byte[] _pending = new byte[PendingBytes];
    private int _pendingCount;
    private ControlSequence _sequence;

    /// <summary>Bytes that the guest has sent.</summary>
    public ulong Count { get; private set; }

    /// <summary>True once the awaited text was sent.</summary>
    public bool IsTextFound => until.IsFound;

    /// <summary>True once the sink refused bytes; later ones are dropped.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>True when what was sent ends inside a terminal's control sequence.</summary>
    public bool IsInsideControlSequence => _sequence.IsInside;

    /// <summary>Takes one byte from the guest.</summary>
    public void Send(byte value)
    {
        _tail[(int)(Count % TailBytes)] = value;
        Count++;
        until.Next(value);
        _sequence.Next(value);
        _pending[_pendingCount++] = value;
        if (_pendingCount == PendingBytes) Flush();
    }

    /// <summary>Hands what waits to the sink.</summary>
    public void Flush()
    {
        if (_pendingCount == 0) return;
        if (!HasFailed && !sink.Write(new ReadOnlySpan<byte>(_pending, 0, _pendingCount))) HasFailed = true;
        _pendingCount = 0;
    }

    /// <summary>Copies the last bytes, oldest first, into <paramref name="destination"/>; returns how many.</summary>
    public int CopyTail(Span<byte> destination)
    {
        int length = (int)Math.Min(Math.Min(Count, TailBytes), (ulong)destination.Length);
        ulong first = Count - (ulong)length;
        for (int i = 0; i < length; i++) destination[i] = _tail[(int)((first + (ulong)i) % TailBytes)];
        return length;
    }
}
