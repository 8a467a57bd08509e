using System;
using System.Runtime.InteropServices;
using Pagoda.Linux;

namespace Pagoda.Simulator.Memory;

/// <summary>
/// Bookkeeping memory of one worker's worlds: the same addresses for each, all zero, given back when the next begins.
/// </summary>
internal sealed unsafe class RegionStock
{
    private const int Readable = Libc.PROT_READ | Libc.PROT_WRITE;
    private const int Anonymous = Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS | Libc.MAP_NORESERVE;
    private const nuint PageBytes = 4096;
    private const nuint SmallMax = 256 << 10;
    private const nuint AreaBytes = 64 << 20;

    private readonly byte* _small = Reserve();
    private readonly byte* _large = Reserve();
    private nuint _smallUsed;
    private nuint _largeUsed;

    /// <summary>The worker's, on its own thread and on its actors'.</summary>
    [ThreadStatic]
    internal static RegionStock? Current;

    /// <summary>Takes everything back: the last world is gone.</summary>
    public void Reset()
    {
        _smallUsed = 0;
        // Large regions are touched here and there: the system zeroes what was.
        if (_largeUsed != 0) _ = Libc.Madvise(_large, _largeUsed, Libc.MADV_DONTNEED);
        _largeUsed = 0;
    }

    /// <summary>Is it a cell of the world, at an address that is the same in every world?</summary>
    public bool Contains(void* cell) =>
        (nuint)((byte*)cell - _small) < _smallUsed || (nuint)((byte*)cell - _large) < _largeUsed;

    /// <summary>Memory that is zero, on a page boundary.</summary>
    public byte* Take(nuint length)
    {
        nuint bytes = (length + PageBytes - 1) & ~(PageBytes - 1);
        ref nuint used = ref bytes > SmallMax ? ref _largeUsed : ref _smallUsed;
        if (used + bytes > AreaBytes) throw new InsufficientMemoryException("The stock of regions is empty.");
        byte* taken = (bytes > SmallMax ? _large : _small) + used;
        used += bytes;
        if (bytes <= SmallMax) NativeMemory.Clear(taken, length);
        return taken;
    }

    private static byte* Reserve()
    {
        int errno = Libc.Mmap(null, AreaBytes, Readable, Anonymous, -1, out void* mapped);
        if (errno != 0) throw new InsufficientMemoryException("Mapping failed with " + errno + ".");
        return (byte*)mapped;
    }
}
