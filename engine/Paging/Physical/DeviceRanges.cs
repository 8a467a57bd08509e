using System;
using Pagoda.Core;

namespace Pagoda.Physical;

/// <summary>What stands behind the HPAs from the device base on: a small table, sorted by HPA.</summary>
/// <remarks>
/// Ranges come and go rarely and are looked up at every device access: each change makes a new table and publishes it,
/// a look-up reads the published one without a lock. HPAs are handed out in rising order and begin again at the base
/// only past the end of the space, so that a range's addresses are not soon another's.
/// </remarks>
public sealed unsafe class DeviceRanges
{
    private readonly ulong _base;
    private readonly ulong _end;
    private DeviceRange[] _ranges = [];     // Replaced, never changed.
    private ulong _next;                    // Where the search for a gap starts.

    internal DeviceRanges(ulong deviceBase, ulong end)
    {
        _base = deviceBase;
        _end = end;
        _next = deviceBase;
    }

    /// <summary>How many ranges there are at this moment.</summary>
    public int Count => Shared.Load(ref _ranges).Length;

    /// <summary>Adds a range that a callback answers.</summary>
    /// <param name="length">Bytes, a multiple of 4 KiB.</param>
    /// <param name="device">The callback.</param>
    /// <returns>Its first HPA, on a 4 KiB boundary; on a 2 MiB boundary from that length on.</returns>
    /// <exception cref="ArgumentException">The length is 0 or no multiple of 4 KiB.</exception>
    /// <exception cref="InvalidOperationException">No HPAs are left for a range of that length.</exception>
    public ulong Add(ulong length, IDeviceMemory device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return Add(length, device, null);
    }

    /// <summary>
    /// Adds a range behind which memory of the host lies, which stays mapped until the range is removed.
    /// </summary>
    /// <param name="length">Bytes, a multiple of 4 KiB.</param>
    /// <param name="hostPointer">The memory.</param>
    /// <returns>Its first HPA, on a 4 KiB boundary; on a 2 MiB boundary from that length on.</returns>
    /// <exception cref="ArgumentException">The length is 0 or no multiple of 4 KiB.</exception>
    /// <exception cref="InvalidOperationException">No HPAs are left for a range of that length.</exception>
    public ulong Add(ulong length, byte* hostPointer)
    {
        ArgumentNullException.ThrowIfNull(hostPointer);
        return Add(length, null, hostPointer);
    }

    /// <summary>Finds the range of an HPA. Takes no lock and allocates nothing.</summary>
    [AllocationFree]
    public bool TryFind(ulong hpa, out DeviceRange range)
    {
        DeviceRange[] ranges = Shared.Load(ref _ranges);
        int at = UpperBound(ranges, hpa) - 1;
        if (at >= 0 && hpa < ranges[at].End)
        {
            range = ranges[at];
            return true;
        }
        range = default;
        return false;
    }

    /// <summary>Removes a range. No table may map it and no translation of it may be cached any more.</summary>
    /// <param name="hpa">Its first HPA, as <c>Add</c> returned it.</param>
    /// <exception cref="ArgumentException">No range starts there.</exception>
    public void Remove(ulong hpa)
    {
        while (true)
        {
            DeviceRange[] old = Shared.Load(ref _ranges);
            int at = UpperBound(old, hpa) - 1;
            if (at < 0 || old[at].Hpa != hpa)
            {
                throw new ArgumentException("No device range starts at " + new Hpa(hpa) + "; pass what Add returned.",
                    nameof(hpa));
            }
            var ranges = new DeviceRange[old.Length - 1];
            Array.Copy(old, ranges, at);
            Array.Copy(old, at + 1, ranges, at, ranges.Length - at);
            if (Shared.CompareExchange(ref _ranges, ranges, old) == old) return;
        }
    }

    private ulong Add(ulong length, IDeviceMemory? device, byte* hostPointer)
    {
        if (length == 0 || (length & Core.Paging.PageOffsetMask) != 0)
        {
            throw new ArgumentException("A device range has a multiple of 4096 bytes, more than 0; this one has "
                + length.ToString("d", null) + ".", nameof(length));
        }
        while (true)
        {
            DeviceRange[] old = Shared.Load(ref _ranges);
            ulong hpa = FindGap(old, Shared.Load(ref _next), length);
            if (hpa == 0) hpa = FindGap(old, _base, length);
            if (hpa == 0)
            {
                throw new InvalidOperationException("No " + length.ToString("d", null)
                    + " bytes of device address space are left; remove ranges or raise ArenaOptions.PhysBits.");
            }
            int at = UpperBound(old, hpa);
            var ranges = new DeviceRange[old.Length + 1];
            Array.Copy(old, ranges, at);
            ranges[at] = new DeviceRange(hpa, length, device, hostPointer);
            Array.Copy(old, at, ranges, at + 1, old.Length - at);
            if (Shared.CompareExchange(ref _ranges, ranges, old) != old) continue;
            // A hint only: two threads that add at once may both start from the same place, and find different gaps.
            Shared.Store(ref _next, hpa + length);
            return hpa;
        }
    }

    /// <summary>The lowest aligned gap from an HPA on; 0 for none.</summary>
    private ulong FindGap(DeviceRange[] ranges, ulong from, ulong length)
    {
        ulong mask = (length >= Core.Paging.WindowBytes ? Core.Paging.WindowBytes : Core.Paging.PageBytes) - 1;
        ulong hpa = (from + mask) & ~mask;
        for (int i = 0; i < ranges.Length; i++)
        {
            if (ranges[i].End <= hpa) continue;
            if (ranges[i].Hpa >= hpa && ranges[i].Hpa - hpa >= length) break;
            hpa = (ranges[i].End + mask) & ~mask;
        }
        return hpa < _end && _end - hpa >= length ? hpa : 0;
    }

    /// <summary>The index of the first range that starts above an HPA.</summary>
    [AllocationFree]
    private static int UpperBound(DeviceRange[] ranges, ulong hpa)
    {
        int low = 0;
        int high = ranges.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (ranges[middle].Hpa <= hpa) low = middle + 1;
            else high = middle;
        }
        return low;
    }
}
