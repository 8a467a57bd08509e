using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Pagoda.Core;

namespace Pagoda.Pagers;

/// <summary>The 64-bit checksum that every swap slot carries: a multiply-and-add hash of one page.</summary>
/// <remarks>
/// Eight 64-bit lanes read the page in 64 stripes of 64 bytes. For the word x of a lane and the lane's key k, which
/// advances each stripe so that order counts: the two 32-bit halves of x ^ k are multiplied into the lane's sum, and x
/// itself is added to the neighbouring lane's, so that no word is lost when a factor is 0. A difference in one word
/// therefore always changes a sum: the sum of plain words is a bijection of each of them. It is a guard against
/// media and transfer errors, not against somebody who writes the file on purpose. The seed ties a slot to its place:
/// a page read from another slot does not verify.
/// Scalar, AVX2 and AVX-512 forms give the same value; the tests hold them against each other.
/// </remarks>
[AllocationFree]
public static unsafe class PageChecksum
{
    private const int Lanes = 8;
    private const int StripeBytes = Lanes * sizeof(ulong);
    private const int Stripes = (int)Paging.PageBytes / StripeBytes;
    private const ulong KeyFirst = 0x9E3779B97F4A7C15;     // 2^64 / golden ratio, odd
    private const ulong KeyLaneStep = 0xD1342543DE82EF95;  // odd: keys of the eight lanes differ
    private const ulong KeyStripeStep = 0xAF251AF3B0F025B5; // odd: keys of the 64 stripes differ
    private const ulong FoldMultiplier = 0xFF51AFD7ED558CCD; // odd: the fold is a bijection in each lane

    /// <summary>The checksum of the 4096 bytes at <paramref name="page"/>, which is 64-byte aligned.</summary>
    public static ulong Compute(byte* page, ulong seed)
    {
        if (Avx512F.IsSupported) return Compute512(page, seed);
        return Avx2.IsSupported ? Compute256(page, seed) : ComputeScalar(page, seed);
    }

    internal static ulong ComputeScalar(byte* page, ulong seed)
    {
        ulong* sums = stackalloc ulong[Lanes];
        for (int lane = 0; lane < Lanes; lane++) sums[lane] = 0;
        for (int stripe = 0; stripe < Stripes; stripe++)
        {
            ulong* words = (ulong*)(page + stripe * StripeBytes);
            for (int lane = 0; lane < Lanes; lane++)
            {
                ulong key = KeyFirst + (ulong)lane * KeyLaneStep + (ulong)stripe * KeyStripeStep;
                ulong mixed = words[lane] ^ key;
                sums[lane] += (uint)mixed * (mixed >> 32);
                sums[lane ^ 1] += words[lane];
            }
        }
        return Fold(sums, seed);
    }

    internal static ulong Compute256(byte* page, ulong seed)
    {
        Vector256<ulong> keyLow = LaneKeys256(0);
        Vector256<ulong> keyHigh = LaneKeys256(4);
        Vector256<ulong> step = Vector256.Create(KeyStripeStep);
        Vector256<ulong> sumLow = Vector256<ulong>.Zero;
        Vector256<ulong> sumHigh = Vector256<ulong>.Zero;
        for (int stripe = 0; stripe < Stripes; stripe++)
        {
            Vector256<ulong> low = Vector256.Load((ulong*)(page + stripe * StripeBytes));
            Vector256<ulong> high = Vector256.Load((ulong*)(page + stripe * StripeBytes) + 4);
            sumLow += Product256(low ^ keyLow) + SwapNeighbours256(low);
            sumHigh += Product256(high ^ keyHigh) + SwapNeighbours256(high);
            keyLow += step;
            keyHigh += step;
        }
        ulong* sums = stackalloc ulong[Lanes];
        sumLow.Store(sums);
        sumHigh.Store(sums + 4);
        return Fold(sums, seed);
    }

    internal static ulong Compute512(byte* page, ulong seed)
    {
        Vector512<ulong> key = Vector512.Create(LaneKeys256(0), LaneKeys256(4));
        Vector512<ulong> step = Vector512.Create(KeyStripeStep);
        // Two sums: the add of one stripe need not wait for the one before it.
        Vector512<ulong> even = Vector512<ulong>.Zero;
        Vector512<ulong> odd = Vector512<ulong>.Zero;
        for (int stripe = 0; stripe < Stripes; stripe += 2)
        {
            Vector512<ulong> first = Vector512.Load((ulong*)(page + stripe * StripeBytes));
            even += Product512(first ^ key) + SwapNeighbours512(first);
            key += step;
            Vector512<ulong> second = Vector512.Load((ulong*)(page + (stripe + 1) * StripeBytes));
            odd += Product512(second ^ key) + SwapNeighbours512(second);
            key += step;
        }
        ulong* sums = stackalloc ulong[Lanes];
        (even + odd).Store(sums);
        return Fold(sums, seed);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ulong> LaneKeys256(ulong firstLane) => Vector256.Create(
        KeyFirst + firstLane * KeyLaneStep, KeyFirst + (firstLane + 1) * KeyLaneStep,
        KeyFirst + (firstLane + 2) * KeyLaneStep, KeyFirst + (firstLane + 3) * KeyLaneStep);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ulong> Product256(Vector256<ulong> mixed) =>
        Avx2.Multiply(mixed.AsUInt32(), Avx2.ShiftRightLogical(mixed, 32).AsUInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> Product512(Vector512<ulong> mixed) =>
        Avx512F.Multiply(mixed.AsUInt32(), Avx512F.ShiftRightLogical(mixed, 32).AsUInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ulong> SwapNeighbours256(Vector256<ulong> words) =>
        Avx2.Shuffle(words.AsUInt32(), 0b01_00_11_10).AsUInt64();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> SwapNeighbours512(Vector512<ulong> words) =>
        Avx512F.Shuffle(words.AsUInt32(), 0b01_00_11_10).AsUInt64();

    private static ulong Fold(ulong* sums, ulong seed)
    {
        ulong hash = seed ^ KeyFirst;
        for (int lane = 0; lane < Lanes; lane++)
        {
            hash = (hash ^ sums[lane]) * FoldMultiplier;
            hash ^= hash >> 29;
        }
        return hash ^ hash >> 32;
    }
}
