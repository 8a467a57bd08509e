using System;
using System.Numerics;
using System.Runtime.InteropServices;
using Pagoda.Core;

namespace Pagoda.Machine.Replay;

/// <summary>Gives the pages of a trace the guest's pages, in the order of their first touch.</summary>
/// <remarks>A hash table with linear probing in native memory, of the size that all the guest's pages need.</remarks>
[AllocationFree]
internal sealed unsafe class TracePages : IDisposable
{
    private const ulong Multiplier = 0x9E37_79B9_7F4A_7C15;
    private const int BitsMin = 6;

    private readonly Slot* _slots;
    private readonly int _shift;
    private readonly uint _mask;
    private readonly uint _limit;

    /// <summary>A table for so many pages.</summary>
    public TracePages(uint pages)
    {
        _limit = pages;
        int bits = int.Max(BitsMin, BitOperations.Log2(pages) + 2);
        _shift = 64 - bits;
        _mask = (uint)((1UL << bits) - 1);
        _slots = (Slot*)NativeMemory.AllocZeroed((nuint)1 << bits, (nuint)sizeof(Slot));
    }

    /// <summary>Pages given so far.</summary>
    public uint Count { get; private set; }

    /// <summary>The guest's page for a page of the trace.</summary>
    /// <returns>False when it is a new one and the guest has none left.</returns>
    public bool TryFold(ulong tracePage, out uint page)
    {
        uint at = (uint)((tracePage * Multiplier) >> _shift);
        ulong tag = tracePage + 1;
        while (true)
        {
            Slot* slot = _slots + at;
            page = slot->Page;
            if (slot->Tag == tag) return true;
            if (slot->Tag == 0)
            {
                if (Count == _limit) return false;
                page = Count++;
                slot->Tag = tag;
                slot->Page = page;
                return true;
            }
            at = (at + 1) & _mask;
        }
    }

    /// <summary>Frees the table.</summary>
    public void Dispose() => NativeMemory.Free(_slots);

    private struct Slot
    {
        public ulong Tag;       // the page's number and one; 0 is free
        public uint Page;
    }
}
