using System;
using System.IO;
using System.Runtime.InteropServices;

namespace Pagoda.Machine.Replay;

/// <summary>The bytes of a trace from a file or a pipe, through one buffer: any part may be looked at while it is the
/// next.</summary>
/// <remarks>Behind the last byte lie <see cref="Padding"/> zeros, so that parsers may look a little too far.</remarks>
public sealed unsafe class TraceInput : IDisposable
{
    /// <summary>Zeros behind the bytes.</summary>
    public const int Padding = 64;

    private const int BufferBytes = 1 << 20;

    private readonly Stream _stream;
    private readonly byte* _buffer;
    private int _at;
    private int _end;
    private ulong _before;

    /// <summary>Reads from a stream, which stays the caller's.</summary>
    public TraceInput(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        _stream = stream;
        _buffer = (byte*)NativeMemory.AllocZeroed(BufferBytes + Padding);
    }

    /// <summary>Nothing comes any more behind the bytes at hand.</summary>
    public bool IsEnded { get; private set; }

    /// <summary>Bytes at hand.</summary>
    public int Length => _end - _at;

    /// <summary>The next byte; good until <see cref="Ensure"/>.</summary>
    public byte* Next => _buffer + _at;

    /// <summary>Bytes that were consumed.</summary>
    public ulong Position => _before + (ulong)_at;

    /// <summary>Brings at least so many bytes to hand, or all that there are.</summary>
    /// <param name="bytes">At most half a megabyte.</param>
    /// <returns>False when there are fewer.</returns>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    public bool Ensure(int bytes)
    {
        if (_end - _at >= bytes) return true;
        if (!IsEnded) Refill(bytes);
        return _end - _at >= bytes;
    }

    /// <summary>Consumes bytes at hand.</summary>
    public void Skip(int bytes) => _at += bytes;

    /// <summary>Frees the buffer.</summary>
    public void Dispose() => NativeMemory.Free(_buffer);

    private void Refill(int bytes)
    {
        int kept = _end - _at;
        Buffer.MemoryCopy(_buffer + _at, _buffer, BufferBytes, kept);
        _before += (ulong)_at;
        _at = 0;
        _end = kept;
        while (_end < bytes)
        {
            int read = _stream.Read(new Span<byte>(_buffer + _end, BufferBytes - _end));
            if (read == 0)
            {
                IsEnded = true;
                break;
            }
            _end += read;
        }
        new Span<byte>(_buffer + _end, Padding).Clear();
    }
}
