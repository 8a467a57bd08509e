using System.Runtime.CompilerServices;
using Pagoda.Core;

namespace Pagoda.Diagnostics;

/// <summary>The counters of one vmspace: one block, a row of four cache lines for each consumer slot.</summary>
/// <remarks>
/// Only its owner adds to a row, by a plain addition; anybody reads it. Row 0 belongs to nobody: it takes locked
/// additions from threads that own no slot. No line is written by two consumers, and adding costs no locked operation.
/// </remarks>
[AllocationFree]
public sealed unsafe class CounterTable
{
    /// <summary>Cells of a row.</summary>
    public const int CellsPerRow = 32;

    /// <summary>Bytes of a row.</summary>
    public const int RowBytes = CellsPerRow * sizeof(ulong);

    private readonly ulong* _cells;
    private readonly int _rows;

    /// <summary>Makes rows for <paramref name="slots"/> consumers, and the shared one.</summary>
    /// <param name="block"><see cref="BytesFor"/> bytes, zero, aligned to a row; they belong to the caller.</param>
    /// <param name="slots">Consumers, at least 1.</param>
    public CounterTable(byte* block, int slots)
    {
        Invariant.Require(slots > 0);
        Invariant.Require((ulong)block % RowBytes == 0);
        _rows = slots + 1;
        _cells = (ulong*)block;
    }

    /// <summary>Bytes of the block for that many consumers.</summary>
    public static ulong BytesFor(int slots) => (ulong)(slots + 1) * RowBytes;

    /// <summary>The row of a consumer slot.</summary>
    public CounterRow RowOf(int slot)
    {
        Invariant.Require((uint)slot < (uint)(_rows - 1));
        return new CounterRow(_cells + (slot + 1) * CellsPerRow);
    }

    /// <summary>Adds from a thread that owns no row.</summary>
    public void AddShared(Counter counter, ulong count) => Shared.Add(_cells + (int)counter, count);

    /// <summary>The sum over all rows.</summary>
    public ulong Sum(Counter counter)
    {
        ulong sum = 0;
        for (int row = 0; row < _rows; row++) sum += Shared.Load(_cells + row * CellsPerRow + (int)counter);
        return sum;
    }
}

/// <summary>One consumer's cells.</summary>
[AllocationFree]
public readonly unsafe struct CounterRow(ulong* cells)
{
    private readonly ulong* _cells = cells;

    /// <summary>Adds; only the owner of the row may call it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(Counter counter, ulong count)
    {
        ulong* cell = _cells + (int)counter;
        // Nobody else writes the cell, so the load needs no lock; the store is one that readers may see at any time.
        Shared.Store(cell, Shared.Load(cell) + count);
    }

    /// <summary>Adds, and leaves the cell's line alone when there is nothing to add.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddIfAny(Counter counter, ulong count)
    {
        if (count != 0) Add(counter, count);
    }
}
