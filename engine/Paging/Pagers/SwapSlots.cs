using System;
using System.Numerics;
using System.Runtime.InteropServices;
using Pagoda.Core;

namespace Pagoda.Pagers;

/// <summary>Which slots of a swap file are taken: one bit a slot, runs found from where the last one ended.</summary>
/// <remarks>
/// Next-fit keeps the slots of one eviction batch, and of batches that follow each other, in one stretch of the file,
/// which is what read-ahead later finds. Slot 0 is the file's header and never given out, so 0 means "no slot". Every
/// member but the constructor and Dispose may be called from any thread; the spin lock is held for a search alone,
/// never over I/O.
/// </remarks>
[AllocationFree]
public sealed unsafe class SwapSlots : IDisposable
{
    /// <summary>Slot numbers that a file cannot have, so that counting in words never overflows.</summary>
    public const uint Spare = WordBits;

    private const int WordBits = 64;
    private const int ControlBytes = 128;
    private readonly ulong* _taken;
    private readonly uint _slots;
    private readonly uint _words;
    private Control* _control;

    private struct Control
    {
        public uint Lock;
        public uint Free;
        public uint Next;
    }

    /// <summary>Makes the map of a file of <paramref name="slots"/> slots, the header's included.</summary>
    public SwapSlots(uint slots)
    {
        Invariant.Require(slots >= 2);
        Invariant.Require(slots <= uint.MaxValue - Spare);
        _slots = slots;
        _words = (slots + WordBits - 1) / WordBits;
        _taken = (ulong*)NativeMemory.AllocZeroed(_words, sizeof(ulong));
        _control = (Control*)NativeMemory.AlignedAlloc(ControlBytes, ControlBytes);
        *_control = new Control { Free = slots - 1, Next = 1 };
        for (uint slot = slots; slot < _words * WordBits; slot++) Flip(slot);
        Flip(0);
    }

    /// <summary>Slots that can still be taken; a hint while others take and give.</summary>
    public uint Free => Shared.Load(&_control->Free);

    /// <summary>Slots that the file has for pages.</summary>
    public uint Capacity => _slots - 1;

    /// <summary>
    /// Takes a run of at most <paramref name="wanted"/> neighbouring slots; the longest that starts at the first free
    /// slot from the last run's end on.
    /// </summary>
    /// <returns>Length of the run, 0 when no slot is free.</returns>
    public int TakeRun(int wanted, out uint first)
    {
        Invariant.Assert(wanted > 0);
        Acquire();
        first = FindFree(_control->Next, _slots);
        if (first == 0) first = FindFree(1, _control->Next);
        int length = 0;
        if (first != 0)
        {
            while (length < wanted && first + (uint)length < _slots && !IsTaken(first + (uint)length))
            {
                Flip(first + (uint)length);
                length++;
            }
            _control->Next = first + (uint)length < _slots ? first + (uint)length : 1;
            _control->Free -= (uint)length;
        }
        Release();
        return length;
    }

    /// <summary>Gives slots back. Giving one that is free is a defect of the caller.</summary>
    public void Give(uint first, int count)
    {
        Invariant.Require(first != 0);
        Invariant.Require(first + (ulong)count <= _slots);
        Acquire();
        for (uint slot = first; slot < first + (uint)count; slot++)
        {
            Invariant.Require(IsTaken(slot));
            Flip(slot);
        }
        _control->Free += (uint)count;
        Release();
    }

    /// <summary>Whether <paramref name="slot"/> is taken. For checks; unsynchronised.</summary>
    public bool IsTaken(uint slot) => (_taken[slot / WordBits] >> (int)(slot % WordBits) & 1) != 0;

    /// <summary>Frees the map.</summary>
    public void Dispose()
    {
        if (_control == null) return;
        NativeMemory.Free(_taken);
        NativeMemory.AlignedFree(_control);
        _control = null;
    }

    /// <summary>The first free slot in [from, to), or 0.</summary>
    private uint FindFree(uint from, uint to)
    {
        uint word = from / WordBits;
        // Bits before 'from' count as taken in its word.
        ulong taken = _taken[word] | (1UL << (int)(from % WordBits)) - 1;
        while (true)
        {
            if (taken != ulong.MaxValue)
            {
                uint slot = word * WordBits + (uint)BitOperations.TrailingZeroCount(~taken);
                return slot < to ? slot : 0;
            }
            word++;
            if (word >= _words || word * WordBits >= to) return 0;
            taken = _taken[word];
        }
    }

    private void Flip(uint slot) => _taken[slot / WordBits] ^= 1UL << (int)(slot % WordBits);

    private void Acquire()
    {
        var wait = default(Wait);
        while (Shared.Exchange(&_control->Lock, 1) != 0) wait.Step();
    }

    private void Release() => Shared.Store(&_control->Lock, 0);
}
