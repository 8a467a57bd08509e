using System;
using System.Numerics;
using Pagoda.Core;

namespace Pagoda.Physical;

/// <summary>One bit for each 2 MiB chunk of an arena: committed or not.</summary>
/// <remarks>Bits of a word belong to chunks in different hands, so each change is a locked operation.</remarks>
[AllocationFree]
internal sealed unsafe class ChunkBitmap : IDisposable
{
    private const int BitsPerWord = 64;
    private const int WordShift = 6;
    private readonly NativeRegion _region;
    private readonly ulong* _words;

    public ChunkBitmap(uint frameCount)
    {
        ChunkCount = (int)(((ulong)frameCount + Core.Paging.WindowPages - 1) / Core.Paging.WindowPages);
        _region = NativeRegion.Map((nuint)(ChunkCount + BitsPerWord - 1) / BitsPerWord * sizeof(ulong));
        _words = (ulong*)_region.Base;
    }

    /// <summary>Chunks, the last of which may be incomplete.</summary>
    public int ChunkCount { get; }

    public void Set(int chunk) => Shared.Or(Word(chunk), Bit(chunk));

    public void Clear(int chunk) => Shared.And(Word(chunk), ~Bit(chunk));

    public bool IsSet(int chunk) => (Shared.Load(Word(chunk)) & Bit(chunk)) != 0;

    public void SetAll()
    {
        for (int chunk = 0; chunk < ChunkCount; chunk++) Set(chunk);
    }

    public int Count() => Count(0, ChunkCount);

    /// <summary>The set bits of an aligned power of two of chunks, or of all.</summary>
    public int Count(int first, int chunks)
    {
        if (chunks < BitsPerWord && first % BitsPerWord + chunks <= BitsPerWord)
        {
            ulong mask = ((1UL << chunks) - 1) << (first % BitsPerWord);
            return BitOperations.PopCount(Shared.Load(Word(first)) & mask);
        }
        int count = 0;
        int words = (chunks + BitsPerWord - 1) / BitsPerWord;
        for (int i = 0; i < words; i++) count += BitOperations.PopCount(Shared.Load(Word(first) + i));
        return count;
    }

    public void Dispose() => _region.Dispose();

    private ulong* Word(int chunk)
    {
        Invariant.Assert((uint)chunk < (uint)ChunkCount);
        return _words + (chunk >> WordShift);
    }

    private static ulong Bit(int chunk) => 1UL << (chunk & (BitsPerWord - 1));
}
