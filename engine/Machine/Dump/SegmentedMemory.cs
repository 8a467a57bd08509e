using System.Runtime.CompilerServices;
using Pagoda.Core;
using Pagoda.PageTables;

namespace Pagoda.Machine.Dump;

/// <summary>One run of a <see cref="SegmentedMemory"/>.</summary>
/// <param name="Hpa">First byte's host-physical address.</param>
/// <param name="Bytes">Length in bytes.</param>
/// <param name="Offset">Where it begins in the memory that backs the image.</param>
public readonly record struct ImageExtent(ulong Hpa, ulong Bytes, ulong Offset);

/// <summary>Physical memory with holes: runs of it, found by bisection; every access is checked.</summary>
/// <remarks>A view of its <see cref="PhysicalImage"/>, which outlives it.</remarks>
[AllocationFree]
public readonly unsafe struct SegmentedMemory : IPhysicalMemory
{
    private readonly byte* _memory;
    private readonly ImageExtent* _extents;
    private readonly int _count;

    internal SegmentedMemory(byte* memory, ImageExtent* extents, int count, bool isReadOnly)
    {
        _memory = memory;
        _extents = extents;
        _count = count;
        IsReadOnly = isReadOnly;
    }

    /// <inheritdoc/>
    public bool IsReadOnly
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get;
    }

    /// <inheritdoc/>
    // SAFETY: the subtractions are on the side that cannot wrap; extents lie inside the memory: the image checked.
    public bool TryMap(ulong hpa, int bytes, out byte* pointer)
    {
        pointer = null;
        int low = 0;
        int high = _count - 1;
        while (low <= high)
        {
            int middle = (low + high) >> 1;
            ImageExtent* extent = _extents + middle;
            if (hpa < extent->Hpa)
            {
                high = middle - 1;
                continue;
            }
            ulong offset = hpa - extent->Hpa;
            if (offset >= extent->Bytes)
            {
                low = middle + 1;
                continue;
            }
            pointer = _memory + extent->Offset + offset;
            return extent->Bytes - offset >= (ulong)bytes;
        }
        return false;
    }
}
