using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.Tlb;

/// <summary>
/// The consumers of one pmap: everything that may cache or follow a translation. One word each, and the generation that
/// they acknowledge.
/// </summary>
/// <remarks>
/// A word is 0 while its consumer is inactive, else the generation that it has acknowledged; its owner alone writes it,
/// and it has cache lines of its own. Generations start at 1 and are 64 bits wide: they never wrap.
/// <code>
///   vCPU     Enter, [flush, Acknowledge], run, MustFlush at every block, [flush, Acknowledge], Exit
///   walker   EnterWalker, walk and use what was found, Exit
///   taker    change the entries, Advance, WaitFor or limbo, then hold test, content, reuse
///   recycler Oldest, then free what is tagged with it or less
///   destroy  BeginDestroy, WaitAllInactive
/// </code>
/// A consumer that blocks is inactive while it does; no pointer that a walk found outlives an exit, an acknowledgement
/// or a poll that asks for a flush. Any thread may call the members of taker, recycler and destroy; the others
/// belong to the slot's owner.
/// </remarks>
[AllocationFree]
public sealed unsafe partial class ConsumerTable : IDisposable
{
    /// <summary>
    /// Bytes from one shared cell to the next: two lines, because the prefetcher reads them in pairs.
    /// </summary>
    public const int CellBytes = 128;

    private readonly NativeRegion _region;
    private readonly Header* _header;
    private readonly byte* _cells;
    private readonly int _capacity;

    /// <summary>Makes a table for at most <paramref name="capacity"/> consumers.</summary>
    /// <exception cref="InsufficientMemoryException">The system refused the memory.</exception>
    public ConsumerTable(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        _capacity = capacity;
        _region = NativeRegion.Map((nuint)(sizeof(Header) + capacity * sizeof(Cell)));
        _header = (Header*)_region.Base;
        _cells = _region.Base + sizeof(Header);
        Shared.Store(&_header->Generation, 1);
    }

    /// <summary>The generation of the translations: the number of invalidations so far, and 1.</summary>
    public ulong Generation
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Shared.Load(&_header->Generation);
    }

    /// <summary>Invalidations so far: one a gather, however many pages it took.</summary>
    public ulong Invalidations => Generation - 1;

    /// <summary>How often a wait found a consumer active with older translations, and so asked it to let go.</summary>
    /// <remarks>Every consumer here polls the generation itself, so asking sends nothing.</remarks>
    public ulong Kicks => Shared.Load(&_header->Kicks);

    /// <summary>The guest is being destroyed: nobody enters any more, and who is inside leaves.</summary>
    public bool IsDying
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Shared.Load(&_header->Dying) != 0;
    }

    /// <summary>Takes a slot. False when all are taken.</summary>
    public bool TryRegister(out int slot)
    {
        for (slot = 0; slot < _capacity; slot++)
        {
            if (Shared.CompareExchange(&CellOf(slot)->Registered, 1, 0) != 0) continue;
            // Raised before the first entry: a waiter that does not see the slot counted ran its scan before that
            // entry, which then reads the waiter's generation or a newer one.
            RaiseSlots((uint)slot + 1);
            return true;
        }
        slot = -1;
        return false;
    }

    /// <summary>Gives a slot back. Its consumer is inactive.</summary>
    public void Unregister(int slot)
    {
        Cell* cell = CellOf(slot);
        Invariant.Require(Shared.Load(&cell->Word) == 0);
        uint before = Shared.Exchange(&cell->Registered, 0);
        Invariant.Require(before == 1);
    }

    /// <summary>Unmaps the table. No consumer uses it any more.</summary>
    public void Dispose() => _region.Dispose();

    private void RaiseSlots(uint slots)
    {
        uint seen = Shared.Load(&_header->Slots);
        while (seen < slots)
        {
            uint found = Shared.CompareExchange(&_header->Slots, slots, seen);
            if (found == seen) return;
            seen = found;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Cell* CellOf(int slot)
    {
        Invariant.Assert((uint)slot < (uint)_capacity);
        return (Cell*)(_cells + (nint)slot * CellBytes);
    }

    /// <summary>Cells that are polled have a line for themselves; what changes rarely shares another.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 3 * CellBytes)]
    private struct Header
    {
        [FieldOffset(0)] public ulong Generation;
        [FieldOffset(CellBytes)] public ulong Dying;
        [FieldOffset(CellBytes + 8)] public uint Slots;     // Slots [0, Slots) were registered at some time.
        [FieldOffset(2 * CellBytes)] public ulong Kicks;
    }

    [StructLayout(LayoutKind.Explicit, Size = CellBytes)]
    private struct Cell
    {
        [FieldOffset(0)] public ulong Word;
        [FieldOffset(8)] public uint Registered;
    }
}
