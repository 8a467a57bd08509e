using System;
using System.Runtime.CompilerServices;
using Pagoda.Core;

namespace Pagoda.PageTables;

public sealed unsafe partial class Pmap
{
    /// <summary>Finds the leaf that maps an address. Lock-free, inside a consumer slot.</summary>
    /// <param name="gpa">Any address; those beyond <see cref="GpaLimit"/> are mapped by nothing.</param>
    /// <param name="level">The leaf's level; without one, the level whose entry was absent.</param>
    /// <returns>The entry, without the window lock; 0 for none.</returns>
    public ulong Lookup(ulong gpa, out int level) => FindLeaf(gpa, out _, out level) & ~WindowLockBit;

    /// <summary>
    /// Translates an address if its mapping allows what is needed. Lock-free, inside a consumer slot.
    /// </summary>
    /// <remarks>
    /// Rights are software's: under emulation a write right counts before the first write was recorded.
    /// </remarks>
    /// <param name="gpa">Any address.</param>
    /// <param name="need">Rights that must all be there; None asks for a mapping alone.</param>
    /// <param name="hpa">The host-physical address of the same byte.</param>
    public bool TryExtract(ulong gpa, Prot need, out ulong hpa)
    {
        ulong entry = FindLeaf(gpa, out _, out int level);
        if (entry == 0 || !_format.Grants(entry, need))
        {
            hpa = 0;
            return false;
        }
        hpa = _format.LeafFrame(entry, level) | (gpa & ((1UL << Paging.LevelShift(level)) - 1));
        return true;
    }

    /// <summary>
    /// The entries that a walk to an address reads, from the top down, up to the first that is absent or a leaf.
    /// Lock-free, inside a consumer slot.
    /// </summary>
    /// <param name="gpa">An address below <see cref="GpaLimit"/>.</param>
    /// <param name="entries">Receives them, without the window lock; room for as many as the tree has levels.</param>
    /// <returns>How many there are: 1 to the number of levels.</returns>
    public int GetMapping(ulong gpa, Span<ulong> entries)
    {
        Invariant.Require(gpa < _limit);
        Invariant.Require(entries.Length >= _format.Levels);
        ulong* table = _root;
        int count = 0;
        for (int level = _format.Levels; ; level--)
        {
            ulong value = Shared.Load(table + IndexAt(gpa, level)) & ~WindowLockBit;
            entries[count++] = value;
            if (!_format.IsValid(value) || _format.IsLeaf(value, level)) return count;
            table = TableAt(TablePfn(value));
        }
    }

    /// <summary>The leaf of an address as it is at this moment, with its cell; 0 for none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong FindLeaf(ulong gpa, out ulong* cell, out int level)
    {
        ulong valid = _format.Valid;
        ulong frame = _format.Frame;
        ulong pageSize = _format.PageSize;
        byte* directMap = _base;
        int at = _format.Levels;
        int shift = Paging.LevelShift(at);
        level = at;
        cell = null;
        if (gpa >= _limit) return 0;
        ulong* entry = _root + ((gpa >> shift) & IndexMask);
        ulong value = Shared.Load(entry);
        while ((value & valid) != 0)
        {
            if (at == 1 || (value & pageSize) != 0)
            {
                cell = entry;
                level = at;
                return value;
            }
            at--;
            shift -= Paging.IndexBits;
            entry = (ulong*)(directMap + (value & frame)) + ((gpa >> shift) & IndexMask);
            value = Shared.Load(entry);
        }
        level = at;
        return 0;
    }
}
