using System;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Pagoda.Core;

namespace Pagoda.AddressSpace;

/// <summary>
/// A guest's map was asked for something that it cannot do. Nothing was changed. The message names the range and says
/// what to do.
/// </summary>
public sealed class MapException : Exception
{
    private MapException(MapError error, ulong address, ulong length, string message) : base(message)
    {
        Error = error;
        Address = address;
        Length = length;
    }

    /// <summary>What was wrong.</summary>
    public MapError Error { get; }

    /// <summary>The guest-physical address that was asked for, or where the trouble is.</summary>
    public ulong Address { get; }

    /// <summary>Bytes that were asked for.</summary>
    public ulong Length { get; }

    /// <summary>Refuses a length of 0 and one that is no whole number of pages.</summary>
    internal static void RequireLength(string what, ulong address, ulong length)
    {
        if (length == 0)
        {
            throw new MapException(MapError.ZeroLength, address, length,
                what + " at " + Hex(address) + " has length 0: give at least one page.");
        }
        if ((length & Paging.PageOffsetMask) != 0)
        {
            throw new MapException(MapError.Unaligned, address, length,
                what + " at " + Hex(address) + " has length " + Hex(length)
                + ": round it to a multiple of 0x1000.");
        }
    }

    /// <summary>Refuses a range that is not made of pages that a guest can address.</summary>
    internal static void RequireRange(string what, ulong gpa, ulong length, int addressBits)
    {
        RequireLength(what, gpa, length);
        if ((gpa & Paging.PageOffsetMask) != 0)
        {
            throw new MapException(MapError.Unaligned, gpa, length,
                what + " starts at " + Hex(gpa) + ": start it on a multiple of 0x1000.");
        }
        if (gpa + length < gpa)
        {
            throw new MapException(MapError.Overflow, gpa, length,
                what + " at " + Hex(gpa) + " of length " + Hex(length) + " ends beyond 2^64: make it shorter.");
        }
        if (gpa + length - 1 >> addressBits != 0)
        {
            throw new MapException(MapError.BeyondAddressWidth, gpa, length,
                what + " at " + Hex(gpa) + " of length " + Hex(length) + " ends beyond the guest's " + addressBits
                + " physical address bits: place it below " + Hex(1UL << addressBits) + ".");
        }
    }

    internal static MapException ObjectTooLong(ulong length) => new(MapError.ObjectRange, 0, length,
        "A VM object of " + Hex(length) + " bytes is too long: make it at most "
        + Hex(VmObject.PagesMax << Paging.PageShift) + ", or use several.");

    [DoesNotReturn]
    internal static void ThrowOverlap(ulong gpa, ulong length, in MapEntry found) =>
        throw new MapException(MapError.Overlap, gpa, length,
            "The range at " + Hex(gpa) + " of length " + Hex(length) + " overlaps what is mapped at " + Hex(found.Start)
            + " to " + Hex(found.End) + ": unmap that first, or place the range elsewhere.");

    [DoesNotReturn]
    internal static void ThrowNotMapped(ulong gpa, ulong length, ulong hole) =>
        throw new MapException(MapError.NotMapped, hole, length,
            "Nothing is mapped at " + Hex(hole) + " in the range at " + Hex(gpa) + " of length " + Hex(length)
            + ": map it first, or name a range that is mapped throughout.");

    [DoesNotReturn]
    internal static void ThrowRights(ulong gpa, ulong length, Prot prot, string advice) =>
        throw new MapException(MapError.Rights, gpa, length,
            "The range at " + Hex(gpa) + " of length " + Hex(length) + " cannot have the rights " + prot + ": "
            + advice);

    [DoesNotReturn]
    internal static void ThrowObjectRange(ulong gpa, ulong length, ulong offset, ulong objectBytes) =>
        throw new MapException(MapError.ObjectRange, gpa, length,
            "The mapping at " + Hex(gpa) + " shows bytes " + Hex(offset) + " to " + Hex(offset + length)
            + " of an object of " + Hex(objectBytes) + " bytes: stay inside it, on multiples of 0x1000.");

    [DoesNotReturn]
    internal static void ThrowWrongObject(ulong gpa, ulong length, string why) =>
        throw new MapException(MapError.WrongObject, gpa, length, "The object for " + Hex(gpa) + " " + why);

    [DoesNotReturn]
    internal static void ThrowTooManyEntries(ulong gpa, ulong length) =>
        throw new MapException(MapError.TooManyEntries, gpa, length,
            "The map has no room for the range at " + Hex(gpa) + ": it holds " + VmMap.EntriesMax
            + " runs; use fewer and longer ones.");

    [DoesNotReturn]
    internal static void ThrowDestroyed(ulong gpa, ulong length) =>
        throw new MapException(MapError.Destroyed, gpa, length,
            "The guest was disposed; " + Hex(gpa) + " cannot be changed any more.");

    [DoesNotReturn]
    internal static void ThrowWired(string what, ulong gpa, ulong length, ulong wired) =>
        throw new MapException(MapError.Wired, wired, length,
            "The range at " + Hex(gpa) + " of length " + Hex(length) + " cannot be " + what + ": " + Hex(wired)
            + " is wired. Unwire it first.");

    [DoesNotReturn]
    internal static void ThrowNotWired(ulong gpa, ulong length, ulong at) =>
        throw new MapException(MapError.NotWired, at, length,
            "The range at " + Hex(gpa) + " of length " + Hex(length) + " cannot be unwired: " + Hex(at)
            + " is not wired. Unwire what was wired, as often as it was.");

    /// <summary>Refuses to wire a range, for what is at one address in it.</summary>
    [DoesNotReturn]
    internal static void ThrowUnwirable(MapError error, ulong gpa, ulong length, ulong at) =>
        throw new MapException(error, at, length,
            "The range at " + Hex(gpa) + " of length " + Hex(length) + " cannot be wired: " + Hex(at) + error switch
            {
                MapError.Device => " is a device, which has no pages to keep. Leave it out.",
                MapError.Rights => " has no right at all. Give it one first.",
                MapError.TooManyWires => " is wired " + byte.MaxValue + " times already. Unwire it first.",
                MapError.NoMemory => " finds no frame, and nothing can be taken away for it. Wire less, or unwire.",
                MapError.PageLost => " is lost, because its pager could not read it. Discard it, or map it anew.",
                _ => " belongs to a guest that was disposed meanwhile.",
            });

    private static string Hex(ulong value) => "0x" + value.ToString("x", CultureInfo.InvariantCulture);
}
