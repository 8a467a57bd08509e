using System;
using System.IO;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Pagoda.Linux;

namespace Pagoda.Machine.Dump;

/// <summary>A file in memory, copy-on-write: what is written stays private to the process.</summary>
/// <remarks>
/// Pages are read when they are touched, so a file of any size costs what is looked at. Nobody may shorten the file
/// while it is mapped: touching what was cut off ends the process.
/// </remarks>
public sealed unsafe class MappedFile : IDisposable
{
    private byte* _bytes;

    private MappedFile(byte* bytes, ulong length)
    {
        _bytes = bytes;
        Length = length;
    }

    /// <summary>Bytes of the file.</summary>
    public ulong Length { get; }

    /// <summary>The first byte; null for an empty file. Readable and writable.</summary>
    internal byte* Bytes => _bytes;

    /// <summary>Maps a regular file.</summary>
    /// <exception cref="IOException">It does not exist, is no regular file, or cannot be mapped.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static MappedFile Open(string path)
    {
        Libc.FileKind kind = KindOf(path);
        if (kind == Libc.FileKind.Directory) throw new IOException(path + " is a directory.");
        if (kind == Libc.FileKind.Special) throw new IOException(path + " is not a regular file.");
        using SafeFileHandle file = File.OpenHandle(path);
        ulong length = (ulong)RandomAccess.GetLength(file);
        if (length == 0) return new MappedFile(null, 0);
        // Without a reservation: of a copy-on-write image of many GiB only a few table pages are ever copied.
        int errno = Libc.Mmap(null, (nuint)length, Libc.PROT_READ | Libc.PROT_WRITE,
            Libc.MAP_PRIVATE | Libc.MAP_NORESERVE, (int)file.DangerousGetHandle(), out void* mapped);
        if (errno != 0) throw new IOException(path + " cannot be mapped into memory (errno " + errno + ").");
        return new MappedFile((byte*)mapped, length);
    }

    /// <summary>Copies bytes from <paramref name="offset"/> on; false, and nothing copied, beyond the end.</summary>
    public bool TryRead(ulong offset, Span<byte> destination)
    {
        ObjectDisposedException.ThrowIf(_bytes == null && Length != 0, this);
        if (offset > Length) return false;
        if (Length - offset < (ulong)destination.Length) return false;
        new ReadOnlySpan<byte>(_bytes + offset, destination.Length).CopyTo(destination);
        return true;
    }

    /// <summary>Unmaps the file. No view of it may be used any more.</summary>
    public void Dispose()
    {
        if (_bytes == null) return;
        _ = Libc.Munmap(_bytes, (nuint)Length);
        _bytes = null;
    }

    /// <summary>Tells what <paramref name="path"/> names, links followed, without opening it.</summary>
    public static Libc.FileKind KindOf(string path)
    {
        byte[] name = Encoding.UTF8.GetBytes(path + '\0');
        fixed (byte* first = name) return Libc.KindOf(first);
    }
}
