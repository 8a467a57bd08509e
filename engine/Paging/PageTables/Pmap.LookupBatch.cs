using System;
using System.Runtime.Intrinsics.X86;
using Pagoda.Core;

namespace Pagoda.PageTables;

public sealed unsafe partial class Pmap
{
    /// <summary>The most lanes of a <see cref="LookupBatch"/>.</summary>
    public const int LookupLanesMax = 64;

    /// <summary>
    /// <see cref="Lookup"/> of many addresses at a time. The walks go down level by level side by side, each asking for
    /// its next cache line before any waits for one. Lock-free, inside a consumer slot.
    /// </summary>
    /// <param name="gpas">The addresses, at most <see cref="LookupLanesMax"/>; any values.</param>
    /// <param name="entries">Receives the leaf of each, without the window lock; 0 for none. At least as long.</param>
    /// <param name="levels">Receives the level of each leaf, or of the entry that was absent. At least as long.</param>
    public void LookupBatch(ReadOnlySpan<ulong> gpas, Span<ulong> entries, Span<byte> levels)
    {
        int lanes = gpas.Length;
        Invariant.Require(lanes <= LookupLanesMax);
        Invariant.Require(entries.Length >= lanes);
        Invariant.Require(levels.Length >= lanes);
        if (lanes == 0) return;
        ulong** cells = stackalloc ulong*[LookupLanesMax];
        fixed (ulong* gpa = gpas)
        fixed (ulong* entry = entries)
        fixed (byte* level = levels)
        {
            LookupLanes(gpa, lanes, cells, entry, level);
        }
    }

    private void LookupLanes(ulong* gpas, int lanes, ulong** cells, ulong* entries, byte* levels)
    {
        ulong valid = _format.Valid;
        ulong frame = _format.Frame;
        ulong pageSize = _format.PageSize;
        ulong limit = _limit;
        byte* directMap = _base;
        int top = _format.Levels;
        int shift = Paging.LevelShift(top);
        for (int lane = 0; lane < lanes; lane++)
        {
            cells[lane] = gpas[lane] < limit ? _root + ((gpas[lane] >> shift) & IndexMask) : null;
            entries[lane] = 0;
            levels[lane] = (byte)top;
        }
        for (int level = top; ; level--)
        {
            shift -= Paging.IndexBits;
            bool any = false;
            for (int lane = 0; lane < lanes; lane++)
            {
                ulong* cell = cells[lane];
                if (cell == null) continue;
                ulong value = Shared.Load(cell);
                levels[lane] = (byte)level;
                cells[lane] = null;
                if ((value & valid) == 0) continue;
                if (level == 1 || (value & pageSize) != 0)
                {
                    entries[lane] = value & ~WindowLockBit;
                    continue;
                }
                ulong* next = (ulong*)(directMap + (value & frame)) + ((gpas[lane] >> shift) & IndexMask);
                if (Sse.IsSupported) Sse.Prefetch0(next);
                cells[lane] = next;
                any = true;
            }
            if (!any) return;
        }
    }
}
