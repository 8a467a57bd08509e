using System;
using System.Runtime.InteropServices;

namespace Pagoda.Tests.Support;

/// <summary>
/// Native memory that ends exactly at an inaccessible page and begins behind another one, so that an access past its
/// end, or a page before its start, ends the test instead of passing by luck.
/// </summary>
/// <remarks>
/// The end is exact only when the length is a multiple of the alignment; otherwise up to alignment - 1 spare bytes lie
/// between the last byte and the guard page. Not thread safe in <see cref="Dispose"/>; the memory itself is plain.
/// </remarks>
public sealed unsafe partial class GuardedRegion : IDisposable
{
    private const nuint PageBytes = 4096;
    private const int ProtNone = 0x0;
    private const int ProtReadWrite = 0x1 | 0x2;
    private const int MapPrivateAnonymous = 0x02 | 0x20;

    private readonly nint _mapping;
    private readonly nuint _mappingBytes;
    private bool _disposed;

    /// <summary>Maps <paramref name="length"/> zero bytes between two guard pages.</summary>
    /// <param name="length">In bytes, at least 1.</param>
    /// <param name="alignment">Of the first byte; a power of two, at most a page.</param>
    public GuardedRegion(int length, int alignment = 64)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(alignment, (int)PageBytes);
        nuint used = AlignUp((nuint)length, (nuint)alignment);
        nuint body = AlignUp(used, PageBytes);
        _mappingBytes = body + 2 * PageBytes;
        _mapping = Mmap(0, _mappingBytes, ProtReadWrite, MapPrivateAnonymous, -1, 0);
        if (_mapping == -1) throw new InsufficientMemoryException("mmap of a guarded region failed");
        byte* start = (byte*)_mapping;
        if (Mprotect(_mapping, PageBytes, ProtNone) != 0
            || Mprotect((nint)(start + PageBytes + body), PageBytes, ProtNone) != 0)
        {
            throw new InvalidOperationException("mprotect of a guard page failed");
        }
        Base = start + PageBytes + (body - used);
        Length = length;
    }

    /// <summary>The first byte.</summary>
    public byte* Base { get; }

    /// <summary>The length in bytes.</summary>
    public int Length { get; }

    /// <summary>The bytes.</summary>
    public Span<byte> Bytes => new(Base, Length);

    /// <summary>The bytes as a column; the length must be a multiple of the item's size.</summary>
    public Span<T> Column<T>() where T : unmanaged => MemoryMarshal.Cast<byte, T>(Bytes);

    /// <summary>Unmaps the memory and its guard pages.</summary>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        if (Munmap(_mapping, _mappingBytes) != 0) throw new InvalidOperationException("munmap failed");
    }

    private static nuint AlignUp(nuint value, nuint alignment) => (value + alignment - 1) & ~(alignment - 1);

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Mmap(nint address, nuint length, int prot, int flags, int fd, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Mprotect(nint address, nuint length, int prot);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Munmap(nint address, nuint length);
}
