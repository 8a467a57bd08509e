using System;
using System.Text;
using Pagoda.Machine.Devices;

namespace Pagoda.Tests.Machine.Devices;

/// <summary>Keeps what a guest prints; can refuse to take more. All its storage is made first.</summary>
internal sealed class CollectingSink(int capacity = 1 << 20) : IConsoleSink
{
    private readonly byte[] _bytes = new byte[capacity];
    private int _count;

    /// <summary>Refuse everything from now on.</summary>
    public bool Refuses { get; set; }

    /// <summary>How many times something was written.</summary>
    public int Writes { get; private set; }

    /// <summary>All that was written, as text.</summary>
    public string Text => Encoding.Latin1.GetString(_bytes, 0, _count);

    /// <inheritdoc/>
    public bool Write(ReadOnlySpan<byte> bytes)
    {
        Writes++;
        if (Refuses || bytes.Length > _bytes.Length - _count) return false;
        bytes.CopyTo(new Span<byte>(_bytes, _count, bytes.Length));
        _count += bytes.Length;
        return true;
    }
}
