using System.Runtime.CompilerServices;
using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.PageTables;

/// <summary>Tables that lie in an arena: <c>pointer = base + hpa</c>, and no device address is a table.</summary>
/// <remarks>The arena outlives the value.</remarks>
/// <param name="memory">The direct map of HPA 0.</param>
/// <param name="bytes">Bytes of the arena, a multiple of the page.</param>
[AllocationFree]
public readonly unsafe struct ArenaMemory(byte* memory, ulong bytes) : IPhysicalMemory
{
    private readonly byte* _memory = memory;
    private readonly ulong _bytes = bytes;

    /// <summary>The memory of an arena.</summary>
    public ArenaMemory(Arena arena)
        : this(arena.Base, arena.Bytes)
    {
    }

    /// <inheritdoc/>
    public bool IsReadOnly
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => false;
    }

    /// <inheritdoc/>
    // SAFETY: hpa is aligned and the arena is whole pages, so an access that starts inside ends inside.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryMap(ulong hpa, int bytes, out byte* pointer)
    {
        Invariant.Assert((hpa & (ulong)(bytes - 1)) == 0);
        pointer = _memory + hpa;
        return hpa < _bytes;
    }
}
