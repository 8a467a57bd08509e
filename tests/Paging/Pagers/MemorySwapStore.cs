using System;
using System.Collections.Generic;
using Pagoda.Pagers;

namespace Pagoda.Tests.Pagers;

/// <summary>A swap store in memory that does to each transfer what the test says.</summary>
internal sealed unsafe class MemorySwapStore(uint slots) : ISwapStore
{
    internal const int Eio = 5;
    internal const int Enospc = 28;
    private const int PageBytes = 4096;
    private readonly byte[] _content = new byte[(slots + 1) * PageBytes];

    public uint Slots => slots;

    public ulong Nonce => 0x1234_5678_9ABC_DEF0;

    /// <summary>Slots whose reads fail.</summary>
    internal HashSet<uint> BadReads { get; } = [];

    /// <summary>Slots whose writes fail, with the errno.</summary>
    internal Dictionary<uint, int> BadWrites { get; } = [];

    /// <summary>The most pages one call moves: a short transfer.</summary>
    internal int PagesAtOnce { get; set; } = int.MaxValue;

    internal int Calls { get; private set; }

    public int Read(uint first, byte** pages, int count, out int done)
    {
        Calls++;
        for (done = 0; done < count && done < PagesAtOnce; done++)
        {
            if (BadReads.Contains(first + (uint)done)) return Eio;
            Slot(first + (uint)done).CopyTo(new Span<byte>(pages[done], PageBytes));
        }
        return 0;
    }

    public int Write(uint first, byte** pages, int count, out int done)
    {
        Calls++;
        for (done = 0; done < count && done < PagesAtOnce; done++)
        {
            if (BadWrites.TryGetValue(first + (uint)done, out int errno)) return errno;
            new Span<byte>(pages[done], PageBytes).CopyTo(Slot(first + (uint)done));
        }
        return 0;
    }

    internal void Flip(uint slot, int bit) => Slot(slot)[bit >> 3] ^= (byte)(1 << (bit & 7));

    private Span<byte> Slot(uint slot) => _content.AsSpan((int)slot * PageBytes, PageBytes);
}
