using Pagoda.Core;

namespace Pagoda.PageTables;

/// <summary>The memory that holds page tables. Implement it as a struct: each one gets its own compiled walk.</summary>
[AllocationFree]
public unsafe interface IPhysicalMemory
{
    /// <summary>
    /// True: the walk writes nothing. It still reports the entries, with the accessed and dirty bits that it would have
    /// set.
    /// </summary>
    bool IsReadOnly { get; }

    /// <summary>Finds the bytes at an address.</summary>
    /// <param name="hpa">A host-physical address of any value, aligned to <paramref name="bytes"/>.</param>
    /// <param name="bytes">How many bytes the caller will read or write: 4 or 8.</param>
    /// <param name="pointer">Where they are; aligned like <paramref name="hpa"/>.</param>
    /// <returns>False when any of the bytes lies outside the memory.</returns>
    bool TryMap(ulong hpa, int bytes, out byte* pointer);
}
