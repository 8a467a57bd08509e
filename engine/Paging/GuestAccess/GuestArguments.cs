using System;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Pagoda.AddressSpace;
using Pagoda.Core;

namespace Pagoda.GuestAccess;

/// <summary>The checks at the public edge of guest access.</summary>
internal static class GuestArguments
{
    private const int BitsPerWord = 64;

    /// <summary>Refuses an empty range, and fewer spans than the range has pages.</summary>
    [AllocationFree]
    public static void RequireSpans(ulong gpa, ulong length, int spans)
    {
        if (length == 0) ThrowEmpty(gpa);
        if (GuestHold.PagesOf(gpa, length) > (ulong)spans) ThrowSpans(gpa, length, spans);
    }

    /// <summary>Refuses columns of different lengths.</summary>
    [AllocationFree]
    public static void RequireColumns(int gpa, int pointer, int status)
    {
        if (gpa != pointer || gpa != status) ThrowColumns(gpa, pointer, status);
    }

    /// <summary>Refuses a range that is none, and a bitmap with fewer bits than pages.</summary>
    [AllocationFree]
    public static void RequireBitmap(ulong gpa, ulong length, int words, int addressBits)
    {
        if (!IsRange(gpa, length, addressBits)) ThrowRange("A harvested range", gpa, length, addressBits);
        if (length >> Paging.PageShift > (ulong)words * BitsPerWord) ThrowBitmap(gpa, length, words);
    }

    /// <summary>Refuses ranges of which one is none.</summary>
    [AllocationFree]
    public static void RequireRanges(ReadOnlySpan<GpaRange> ranges, int addressBits)
    {
        foreach (ref readonly GpaRange range in ranges)
        {
            if (!IsRange(range.Start.Value, range.Length, addressBits))
                ThrowRange("An advised range", range.Start.Value, range.Length, addressBits);
        }
    }

    [AllocationFree]
    private static bool IsRange(ulong gpa, ulong length, int addressBits) =>
        length != 0 && ((gpa | length) & Paging.PageOffsetMask) == 0 && gpa + length > gpa
        && (gpa + length - 1) >> addressBits == 0;

    [DoesNotReturn]
    private static void ThrowRange(string what, ulong gpa, ulong length, int addressBits)
    {
        MapException.RequireRange(what, gpa, length, addressBits);
        Invariant.Fail("a range was refused that is one");
    }

    [DoesNotReturn]
    private static void ThrowEmpty(ulong gpa) =>
        throw new ArgumentException("A hold at " + Hex(gpa) + " has length 0: hold at least one byte.");

    [DoesNotReturn]
    private static void ThrowSpans(ulong gpa, ulong length, int spans) =>
        throw new ArgumentException("A hold at " + Hex(gpa) + " of length " + Hex(length) + " may need "
            + GuestHold.PagesOf(gpa, length) + " spans and was given " + spans + ": one for each page it touches.");

    [DoesNotReturn]
    private static void ThrowColumns(int gpa, int pointer, int status) =>
        throw new ArgumentException("The columns of a batched hold differ: " + gpa + " addresses, " + pointer
            + " pointers, " + status + " statuses. Give them equal lengths.");

    [DoesNotReturn]
    private static void ThrowBitmap(ulong gpa, ulong length, int words) =>
        throw new ArgumentException("The bitmap for " + Hex(gpa) + " of length " + Hex(length) + " has " + words
            + " words: one for every 64 pages are needed.");

    private static string Hex(ulong value) => "0x" + value.ToString("x", CultureInfo.InvariantCulture);
}
