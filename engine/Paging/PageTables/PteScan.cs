using System.Numerics;
using System.Runtime.CompilerServices;
using Pagoda.Core;

namespace Pagoda.PageTables;

/// <summary>
/// The entries of a part of a table that have any of some bits, in order: <c>while (scan.TryNext(out int i))</c>.
/// </summary>
/// <remarks>
/// Looks at eight at a time, so what it says of one may be seven steps old. Whoever acts on an entry reads it itself.
/// </remarks>
[AllocationFree]
internal unsafe struct PteScan
{
    private readonly ulong* _table;
    private readonly ulong _bits;
    private readonly int _end;
    private int _group;
    private uint _found;

    /// <summary>Starts a scan.</summary>
    /// <param name="table">The first cell of the table.</param>
    /// <param name="first">The first index to look at.</param>
    /// <param name="end">The index behind the last, at most the table's length.</param>
    /// <param name="bits">Any of these.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public PteScan(ulong* table, int first, int end, ulong bits)
    {
        Invariant.Assert(first >= 0);
        Invariant.Assert(end <= Paging.EntriesPerTable);
        _table = table;
        _bits = bits;
        _end = end;
        _group = first & ~(PteVector.Lanes - 1);
        if (first < end) _found = PteVector.Look(table + _group, bits) >> (first - _group) << (first - _group);
    }

    /// <summary>The next such entry; false at the end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryNext(out int index)
    {
        while (_found == 0)
        {
            _group += PteVector.Lanes;
            if (_group >= _end)
            {
                _group = _end;
                index = _end;
                return false;
            }
            _found = PteVector.Look(_table + _group, _bits);
        }
        index = _group + BitOperations.TrailingZeroCount(_found);
        _found &= _found - 1;
        if (index < _end) return true;
        _found = 0;
        _group = _end;
        return false;
    }
}
