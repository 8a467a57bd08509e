using System;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Diagnostics;
using Pagoda.Faults;
using Pagoda.GuestAccess;

namespace Pagoda;

/// <summary>The host's access to guest memory. Nothing here allocates.</summary>
public sealed unsafe partial class Guest
{
    /// <summary>Where an address lies now, if its mapping allows the access. Never faults anything in.</summary>
    [AllocationFree]
    public bool TryTranslate(Gpa gpa, Prot access, out Hpa hpa)
    {
        VmspaceConsumer walker = TakeWalker(out int index);
        bool found = GuestTranslation.TryTranslate(walker, gpa.Value, access, out ulong address);
        GiveWalker(index);
        hpa = new Hpa(address);
        return found;
    }

    /// <summary>
    /// Holds a range of guest memory, which may cross pages: host pointers that stay good until they are released. What
    /// is absent is faulted in. All of it is held, or nothing.
    /// </summary>
    /// <param name="gpa">The first byte.</param>
    /// <param name="length">Bytes, at least 1.</param>
    /// <param name="access">What the host will do with it.</param>
    /// <param name="spans">Receives the spans in order; room for as many as the range has pages.</param>
    /// <param name="count">How many there are.</param>
    /// <returns>Resolved, or why not. Device ranges hold no memory: NoMapping.</returns>
    /// <exception cref="ArgumentException">The length is 0, or there is not enough room.</exception>
    [AllocationFree]
    public FaultStatus Hold(Gpa gpa, ulong length, Prot access, Span<GuestSpan> spans, out int count)
    {
        GuestArguments.RequireSpans(gpa.Value, length, spans.Length);
        VmspaceConsumer walker = TakeWalker(out int index);
        try
        {
            return GuestHold.Hold(walker, gpa.Value, length, access, spans, out count);
        }
        finally
        {
            // Here and below also when a pager or a device throws: it is the caller's business, and no reason to keep
            // the walker.
            GiveWalker(index);
        }
    }

    /// <summary>Releases held spans. Works after the guest was disposed too; the arena must still live.</summary>
    /// <param name="spans">Spans of earlier holds, each once.</param>
    [AllocationFree]
    public void Release(ReadOnlySpan<GuestSpan> spans)
    {
        ulong pages = 0;
        foreach (ref readonly GuestSpan span in spans) pages += GuestHold.Release(Arena, in span);
        Space.Counters.AddShared(Counter.Releases, pages);
    }

    /// <summary>Holds the page of every lane; lanes stand alone. What is absent is faulted in, as one batch.</summary>
    /// <param name="gpa">The addresses.</param>
    /// <param name="access">What the host will do.</param>
    /// <param name="pointer">Receives the byte's address, good to the end of its page; 0 where it is not held.</param>
    /// <param name="status">Receives Resolved, or why not.</param>
    /// <returns>Lanes held.</returns>
    /// <exception cref="ArgumentException">The columns differ in length.</exception>
    [AllocationFree]
    public int HoldBatch(ReadOnlySpan<ulong> gpa, Prot access, Span<nint> pointer, Span<FaultStatus> status)
    {
        GuestArguments.RequireColumns(gpa.Length, pointer.Length, status.Length);
        VmspaceConsumer walker = TakeWalker(out int index);
        try
        {
            return GuestHoldBatch.Hold(walker, gpa, access, pointer, status);
        }
        finally
        {
            GiveWalker(index);
        }
    }

    /// <summary>Releases the page of every lane; lanes of 0 are skipped.</summary>
    /// <param name="pointer">Pointers of earlier holds, each once.</param>
    /// <param name="access">What they were held for.</param>
    [AllocationFree]
    public void ReleaseBatch(ReadOnlySpan<nint> pointer, Prot access) =>
        Space.Counters.AddShared(Counter.Releases, GuestHoldBatch.Release(Arena, pointer, access));

    /// <summary>
    /// Copies guest bytes out. A range that is not readable throughout is refused before the first byte.
    /// </summary>
    /// <returns>Resolved, or why not.</returns>
    [AllocationFree]
    public FaultStatus Read(Gpa gpa, Span<byte> destination)
    {
        VmspaceConsumer walker = TakeWalker(out int index);
        try
        {
            return GuestCopy.Read(walker, gpa.Value, destination);
        }
        finally
        {
            GiveWalker(index);
        }
    }

    /// <summary>Copies bytes in. A range that is not writable throughout is refused before the first byte.</summary>
    /// <returns>Resolved, or why not.</returns>
    [AllocationFree]
    public FaultStatus Write(Gpa gpa, ReadOnlySpan<byte> source)
    {
        VmspaceConsumer walker = TakeWalker(out int index);
        try
        {
            return GuestCopy.Write(walker, gpa.Value, source);
        }
        finally
        {
            GiveWalker(index);
        }
    }

    /// <summary>
    /// Reports the pages of a range that the guest or the host wrote since the last harvest. What is written after it
    /// returns is in the next one.
    /// </summary>
    /// <param name="gpa">Page aligned.</param>
    /// <param name="length">Bytes, whole pages.</param>
    /// <param name="bitmap">Bit i is set if page i was written, and left as it is if not.</param>
    /// <returns>Pages found.</returns>
    /// <exception cref="MapException">The range is none.</exception>
    /// <exception cref="ArgumentException">The bitmap has not a bit for every page.</exception>
    [AllocationFree]
    public ulong HarvestModified(Gpa gpa, ulong length, Span<ulong> bitmap)
    {
        GuestArguments.RequireBitmap(gpa.Value, length, bitmap.Length, Space.AddressBits);
        VmspaceConsumer walker = TakeWalker(out int index);
        _ = GuestHarvest.TryHarvestModified(walker, gpa.Value, length, bitmap, out ulong count);
        GiveWalker(index);
        return count;
    }
}
