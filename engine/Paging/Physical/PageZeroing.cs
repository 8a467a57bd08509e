using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Pagoda.Core;

namespace Pagoda.Physical;

/// <summary>
/// Zeroes pages and tests them for zero: scalar, AVX2 and AVX-512 twins of each, which test one another.
/// </summary>
/// <remarks>
/// Streaming for frames that nobody reads at once: the stores go past the caches and leave what is in them alone. They
/// are ordered by nothing but a store fence, and a fence a page triples the cost: <b>the caller makes one
/// <see cref="Shared.StoreFence"/> for its whole batch before it publishes the first frame</b> (a release
/// store does not do). Cached for a page that is read at once: ordinary stores, no fence.
/// </remarks>
[AllocationFree]
public static unsafe class PageZeroing
{
    private const int PageBytes = (int)Core.Paging.PageBytes;
    private const int Bytes512 = 64;
    private const int Bytes256 = 32;
    private const int Bytes64 = sizeof(ulong);

    /// <summary>Zeroes one page by streaming stores; the caller makes the store fence.</summary>
    /// <param name="page">On a page boundary.</param>
    public static void ZeroStreaming(byte* page) => ZeroStreaming(page, 1);

    /// <summary>Zeroes pages that follow one another by streaming stores; the caller makes the store fence.</summary>
    /// <param name="first">On a page boundary.</param>
    /// <param name="pages">How many.</param>
    public static void ZeroStreaming(byte* first, int pages)
    {
        Invariant.Assert(((nuint)first & Core.Paging.PageOffsetMask) == 0);
        nuint bytes = (nuint)pages * PageBytes;
#if PAGODA_SIM
        if (Shared.TryZeroStreaming(first, bytes)) return;
#endif
        if (Vector512.IsHardwareAccelerated && Avx512F.IsSupported) ZeroStreaming512(first, bytes);
        else if (Avx.IsSupported) ZeroStreaming256(first, bytes);
        else ZeroStreamingScalar(first, bytes);
    }

    /// <summary>Zeroes one page into the caches.</summary>
    /// <param name="page">On a page boundary.</param>
    public static void ZeroCached(byte* page)
    {
        Invariant.Assert(((nuint)page & Core.Paging.PageOffsetMask) == 0);
        NativeMemory.Clear(page, PageBytes);
    }

    /// <summary>Whether every byte of a page is 0. Stops at the first 256 bytes that are not.</summary>
    /// <param name="page">On a 64-byte boundary.</param>
    public static bool IsZero(byte* page)
    {
        if (Vector512.IsHardwareAccelerated && Avx512F.IsSupported) return IsZero512(page);
        return Avx.IsSupported ? IsZero256(page) : IsZeroScalar(page);
    }

    internal static void ZeroStreamingScalar(byte* first, nuint bytes)
    {
        ulong* word = (ulong*)first;
        ulong* end = (ulong*)(first + bytes);
        if (Sse2.X64.IsSupported)
        {
            for (; word < end; word++) Sse2.X64.StoreNonTemporal(word, 0UL);
        }
        else
        {
            for (; word < end; word++) *word = 0;
        }
    }

    internal static void ZeroStreaming256(byte* first, nuint bytes)
    {
        Vector256<byte> zero = Vector256<byte>.Zero;
        byte* end = first + bytes;
        for (byte* at = first; at < end; at += 4 * Bytes256)
        {
            Avx.StoreAlignedNonTemporal(at, zero);
            Avx.StoreAlignedNonTemporal(at + Bytes256, zero);
            Avx.StoreAlignedNonTemporal(at + 2 * Bytes256, zero);
            Avx.StoreAlignedNonTemporal(at + 3 * Bytes256, zero);
        }
    }

    internal static void ZeroStreaming512(byte* first, nuint bytes)
    {
        Vector512<byte> zero = Vector512<byte>.Zero;
        byte* end = first + bytes;
        for (byte* at = first; at < end; at += 4 * Bytes512)
        {
            Avx512F.StoreAlignedNonTemporal(at, zero);
            Avx512F.StoreAlignedNonTemporal(at + Bytes512, zero);
            Avx512F.StoreAlignedNonTemporal(at + 2 * Bytes512, zero);
            Avx512F.StoreAlignedNonTemporal(at + 3 * Bytes512, zero);
        }
    }

    internal static bool IsZeroScalar(byte* page)
    {
        for (int at = 0; at < PageBytes; at += 4 * Bytes64)
        {
            ulong* words = (ulong*)(page + at);
            if ((words[0] | words[1] | words[2] | words[3]) != 0) return false;
        }
        return true;
    }

    internal static bool IsZero256(byte* page)
    {
        for (int at = 0; at < PageBytes; at += 4 * Bytes256)
        {
            Vector256<byte> low = Vector256.LoadAligned(page + at) | Vector256.LoadAligned(page + at + Bytes256);
            Vector256<byte> high = Vector256.LoadAligned(page + at + 2 * Bytes256)
                | Vector256.LoadAligned(page + at + 3 * Bytes256);
            if ((low | high) != Vector256<byte>.Zero) return false;
        }
        return true;
    }

    internal static bool IsZero512(byte* page)
    {
        for (int at = 0; at < PageBytes; at += 4 * Bytes512)
        {
            Vector512<byte> low = Vector512.LoadAligned(page + at) | Vector512.LoadAligned(page + at + Bytes512);
            Vector512<byte> high = Vector512.LoadAligned(page + at + 2 * Bytes512)
                | Vector512.LoadAligned(page + at + 3 * Bytes512);
            if ((low | high) != Vector512<byte>.Zero) return false;
        }
        return true;
    }
}
