using System;
using System.IO;
using System.Runtime.InteropServices;

namespace Pagoda.Machine.Replay;

/// <summary>Writes the compact form; <see cref="TraceFormat"/> has its layout.</summary>
public sealed unsafe class CompactWriter : IDisposable
{
    private const int BufferBytes = 1 << 20;

    private readonly Stream _stream;
    private readonly byte* _buffer;
    private byte* _at;
    private ulong _nextFetch;
    private ulong _nextData;

    /// <summary>Starts a trace on a stream, which stays the caller's.</summary>
    public CompactWriter(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        _stream = stream;
        _buffer = (byte*)NativeMemory.AllocZeroed(BufferBytes);
        *(ulong*)_buffer = TraceFormat.Magic;
        *(uint*)(_buffer + sizeof(ulong)) = TraceFormat.Version;
        _at = _buffer + TraceFormat.HeaderBytes;
    }

    /// <summary>Appends accesses.</summary>
    /// <exception cref="IOException">The stream cannot be written.</exception>
    public void Write(ReadOnlySpan<TraceRecord> records)
    {
        foreach (TraceRecord record in records)
        {
            if (_buffer + BufferBytes - _at < TraceFormat.RecordBytesMax) Flush();
            Encode(record);
        }
    }

    /// <summary>Hands over what is in the buffer. Call it at the end.</summary>
    /// <exception cref="IOException">The stream cannot be written.</exception>
    public void Flush()
    {
        _stream.Write(new ReadOnlySpan<byte>(_buffer, (int)(_at - _buffer)));
        _at = _buffer;
    }

    /// <summary>Frees the buffer; what was not flushed is lost.</summary>
    public void Dispose() => NativeMemory.Free(_buffer);

    private void Encode(TraceRecord record)
    {
        byte* control = _at++;
        int code = TraceFormat.CodeOf(record.Size);
        if (code == TraceFormat.SizeExplicit)
        {
            *(ushort*)_at = record.Size;
            _at += sizeof(ushort);
        }
        ref ulong next = ref record.Kind == TraceKind.Fetch ? ref _nextFetch : ref _nextData;
        int form = Difference((long)(record.Address - next));
        next = record.Address + record.Size;
        *control = (byte)((code << TraceFormat.SizeShift) | (form << TraceFormat.FormShift) | (int)record.Kind);
    }

    private int Difference(long difference)
    {
        if (difference == 0) return TraceFormat.FormSame;
        if (difference == (sbyte)difference)
        {
            *_at++ = (byte)difference;
            return TraceFormat.FormByte;
        }
        if (difference == (short)difference)
        {
            *(short*)_at = (short)difference;
            _at += sizeof(short);
            return TraceFormat.FormShort;
        }
        ulong value = TraceFormat.ZigZag(difference);
        for (; value >= 0x80; value >>= 7) *_at++ = (byte)(value | 0x80);
        *_at++ = (byte)value;
        return TraceFormat.FormLong;
    }
}
