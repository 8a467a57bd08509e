using System.Runtime.Intrinsics;
using Pagoda.Core;

namespace Pagoda.PageTables;

/// <summary>Eight entries at a time: filling tables that are not linked yet, looking at those that are.</summary>
/// <remarks>
/// A look is a hint of which entries to treat; what is done to one is an operation of its own on eight bytes. Nothing
/// here stores into a table that a walker can reach: the width of a vector store is no unit of atomicity.
/// </remarks>
[AllocationFree]
internal static unsafe class PteVector
{
    /// <summary>Entries that <see cref="Look"/> reads.</summary>
    public const int Lanes = 8;

    /// <summary>Stores <paramref name="first"/>, first + step, … into an unlinked table.</summary>
    /// <param name="entries">The first cell.</param>
    /// <param name="count">How many cells.</param>
    /// <param name="first">The value of the first.</param>
    /// <param name="step">What each is more than the one before.</param>
    public static void FillRun(ulong* entries, int count, ulong first, ulong step)
    {
        int i = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            Vector512<ulong> value = Vector512.Create(first)
                + Vector512.Create(0UL, 1, 2, 3, 4, 5, 6, 7) * Vector512.Create(step);
            Vector512<ulong> stride = Vector512.Create(step * 8);
            for (; i <= count - 8; i += 8, value += stride) value.Store(entries + i);
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            Vector256<ulong> value = Vector256.Create(first)
                + Vector256.Create(0UL, step, step * 2, step * 3);
            Vector256<ulong> stride = Vector256.Create(step * 4);
            for (; i <= count - 4; i += 4, value += stride) value.Store(entries + i);
        }
        FillScalar(entries + i, count - i, first + (ulong)i * step, step);
    }

    /// <summary>The twin of <see cref="FillRun"/> without vectors.</summary>
    public static void FillScalar(ulong* entries, int count, ulong first, ulong step)
    {
        for (int i = 0; i < count; i++) entries[i] = first + (ulong)i * step;
    }

    /// <summary>Which of eight entries have any of the bits: bit k for entry k.</summary>
    public static uint Look(ulong* entries, ulong bits)
    {
#if !PAGODA_SIM
        if (Vector512.IsHardwareAccelerated)
        {
            Vector512<ulong> hit = Vector512.Load(entries) & Vector512.Create(bits);
            return (uint)(~Vector512.Equals(hit, Vector512<ulong>.Zero).ExtractMostSignificantBits() & 0xFF);
        }
        if (Vector256.IsHardwareAccelerated)
        {
            Vector256<ulong> wanted = Vector256.Create(bits);
            Vector256<ulong> low = Vector256.Equals(Vector256.Load(entries) & wanted, Vector256<ulong>.Zero);
            Vector256<ulong> high = Vector256.Equals(Vector256.Load(entries + 4) & wanted, Vector256<ulong>.Zero);
            return ~(low.ExtractMostSignificantBits() | (high.ExtractMostSignificantBits() << 4)) & 0xFF;
        }
#endif
        return LookScalar(entries, bits);
    }

    /// <summary>The twin of <see cref="Look"/> without vectors.</summary>
    public static uint LookScalar(ulong* entries, ulong bits)
    {
        uint found = 0;
        for (int i = 0; i < Lanes; i++)
        {
            if ((Shared.Load(entries + i) & bits) != 0) found |= 1U << i;
        }
        return found;
    }

    /// <summary>Compares the 512 entries of a table with first, first + step, ….</summary>
    /// <param name="table">The first cell, on a page boundary.</param>
    /// <param name="first">What the first entry has of the bits.</param>
    /// <param name="step">What each has more than the one before.</param>
    /// <param name="bits">The bits to compare.</param>
    /// <returns>Of the bits compared, those that differ anywhere.</returns>
    public static ulong Compare(ulong* table, ulong first, ulong step, ulong bits)
    {
#if !PAGODA_SIM
        if (Vector512.IsHardwareAccelerated)
        {
            Vector512<ulong> expected = Vector512.Create(first)
                + Vector512.Create(0UL, 1, 2, 3, 4, 5, 6, 7) * Vector512.Create(step);
            Vector512<ulong> stride = Vector512.Create(step * 8);
            Vector512<ulong> mask = Vector512.Create(bits);
            Vector512<ulong> differ = Vector512<ulong>.Zero;
            for (int i = 0; i < Paging.EntriesPerTable; i += 8, expected += stride)
                differ |= (Vector512.Load(table + i) & mask) ^ expected;
            return Fold(differ.GetLower() | differ.GetUpper());
        }
        if (Vector256.IsHardwareAccelerated) return Compare256(table, first, step, bits);
#endif
        return CompareScalar(table, first, step, bits);
    }

    /// <summary>The twin of <see cref="Compare"/> with four entries a load.</summary>
    public static ulong Compare256(ulong* table, ulong first, ulong step, ulong bits)
    {
        Vector256<ulong> expected = Vector256.Create(first) + Vector256.Create(0UL, step, step * 2, step * 3);
        Vector256<ulong> stride = Vector256.Create(step * 4);
        Vector256<ulong> mask = Vector256.Create(bits);
        Vector256<ulong> differ = Vector256<ulong>.Zero;
        for (int i = 0; i < Paging.EntriesPerTable; i += 4, expected += stride)
            differ |= (Vector256.Load(table + i) & mask) ^ expected;
        return Fold(differ);
    }

    /// <summary>The twin of <see cref="Compare"/> without vectors.</summary>
    public static ulong CompareScalar(ulong* table, ulong first, ulong step, ulong bits)
    {
        ulong differ = 0;
        for (int i = 0; i < Paging.EntriesPerTable; i++, first += step)
            differ |= (Shared.Load(table + i) & bits) ^ first;
        return differ;
    }

    private static ulong Fold(Vector256<ulong> value)
    {
        Vector128<ulong> half = value.GetLower() | value.GetUpper();
        return half.ToScalar() | half.GetElement(1);
    }
}
