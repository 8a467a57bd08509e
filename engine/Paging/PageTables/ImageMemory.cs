using System;
using System.Runtime.CompilerServices;
using Pagoda.Core;

namespace Pagoda.PageTables;

/// <summary>A flat image of physical memory, of any length; every access is checked against its bounds.</summary>
/// <remarks>The bytes outlive the value. An image that is read-only keeps its accessed and dirty bits.</remarks>
public readonly unsafe struct ImageMemory : IPhysicalMemory
{
    private readonly byte* _image;
    private readonly ulong _firstHpa;
    private readonly ulong _bytes;

    /// <summary>Views <paramref name="bytes"/> bytes at <paramref name="image"/>.</summary>
    /// <param name="image">The first byte; aligned to 8 unless the image is read-only.</param>
    /// <param name="bytes">Bytes of the image; may end inside a page or an entry.</param>
    /// <param name="firstHpa">The host-physical address of the first byte; a multiple of 8.</param>
    /// <param name="isReadOnly">True: nothing is written.</param>
    /// <exception cref="ArgumentException">The address is not a multiple of 8, or the image passes 2^64.</exception>
    public ImageMemory(byte* image, ulong bytes, ulong firstHpa = 0, bool isReadOnly = false)
    {
        if ((firstHpa & (sizeof(ulong) - 1)) != 0)
        {
            throw new ArgumentException($"An image starts at a multiple of 8 bytes, not at HPA 0x{firstHpa:x}.",
                nameof(firstHpa));
        }
        if (firstHpa > ulong.MaxValue - bytes)
        {
            throw new ArgumentException($"An image of 0x{bytes:x} bytes at HPA 0x{firstHpa:x} passes 2^64.",
                nameof(bytes));
        }
        _image = image;
        _firstHpa = firstHpa;
        _bytes = bytes;
        IsReadOnly = isReadOnly;
    }

    /// <inheritdoc/>
    [AllocationFree]
    public bool IsReadOnly
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get;
    }

    /// <inheritdoc/>
    // SAFETY: offset wraps to a huge value below the image; the subtraction is on the side that cannot wrap.
    [AllocationFree]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryMap(ulong hpa, int bytes, out byte* pointer)
    {
        ulong offset = hpa - _firstHpa;
        pointer = _image + offset;
        return offset < _bytes && _bytes - offset >= (ulong)bytes;
    }
}
