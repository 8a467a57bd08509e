using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Pagoda.Physical;
using Pagoda.Simulator.Scheduling;

namespace Pagoda.Simulator.Checks;

/// <summary>What each frame is, as its record's changes tell: a frame that was recycled is touched by nobody.</summary>
/// <remarks>
/// A frame that becomes free is filled with a pattern and begins another life; accesses to it, and guests' accesses
/// through translations of an earlier life, are violations.
/// </remarks>
internal sealed unsafe class FrameWatch(Scheduler scheduler)
{
    public const byte Poison = 0xDB;

    private readonly Scheduler _scheduler = scheduler;
    private byte[] _states = [];
    private uint[] _lives = [];
    private byte* _memory;
    private nuint _bytes;
    private byte* _records;
    private nuint _recordBytes;

    /// <summary>Watches the frames of an arena from now on.</summary>
    public void Attach(Arena arena)
    {
        if (_states.Length < arena.FrameCount)
        {
            _states = new byte[arena.FrameCount];
            _lives = new uint[arena.FrameCount];
        }
        Array.Clear(_lives);
        _memory = arena.Base;
        _bytes = (nuint)arena.Bytes;
        _records = (byte*)arena.Frames.Records;
        _recordBytes = arena.FrameCount * (nuint)FrameRecord.Bytes;
        for (uint pfn = 1; pfn < arena.FrameCount; pfn++) _states[pfn] = (byte)arena.Frames.StateOf(pfn);
    }

    /// <summary>Watches nothing.</summary>
    public void Detach()
    {
        _bytes = 0;
        _recordBytes = 0;
    }

    /// <summary>How often a frame has been recycled.</summary>
    public uint LifeOf(uint pfn) => _lives[pfn];

    /// <summary>Is it a cell of a frame?</summary>
    public bool Contains(void* cell) => (nuint)((byte*)cell - _memory) < _bytes;

    public FrameState StateOf(uint pfn) => (FrameState)_states[pfn];

    /// <summary>An access of the kernel or a guest to a cell.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Touch(byte* cell)
    {
        nuint offset = (nuint)(cell - _memory);
        if (offset < _bytes && _states[offset >> Core.Paging.PageShift] == (byte)FrameState.Free) Refuse(offset);
    }

    /// <summary>A record's first word gets a value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Word(uint* cell, uint value)
    {
        nuint offset = (nuint)((byte*)cell - _records);
        if (offset < _recordBytes && offset % FrameRecord.Bytes == 0) Move((uint)(offset / FrameRecord.Bytes), value);
    }

    private void Move(uint pfn, uint word)
    {
        byte before = _states[pfn];
        byte after = (byte)(word & FrameRecord.StateMask);
        if (before == after) return;
        _states[pfn] = after;
        if (after != (byte)FrameState.Free) return;
        _lives[pfn]++;
        // A frame that was never used is still zero, and its allocator may say so.
        if (before == (byte)FrameState.Zeroed) return;
        NativeMemory.Fill(_memory + ((nuint)pfn << Core.Paging.PageShift), (nuint)Core.Paging.PageBytes, Poison);
    }

    private void Refuse(nuint offset) =>
        _scheduler.Fail("frame " + (offset >> Core.Paging.PageShift) + " was touched after it was recycled");
}
