using System;
using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.Pagers;

/// <summary>
/// Stands for a device range: an object with this pager has no pages of its own. Its addresses translate to HPAs at or
/// above the arena's device base, uncached and unmanaged, and accesses to them go to the range's owner.
/// </summary>
public sealed unsafe class DevicePager : IPager
{
    private readonly Arena _arena;

    /// <summary>Registers a range served by a device model.</summary>
    /// <param name="arena">The arena whose device space it takes.</param>
    /// <param name="length">Bytes, whole pages.</param>
    /// <param name="device">The model.</param>
    public DevicePager(Arena arena, ulong length, IDeviceMemory device)
    {
        ArgumentNullException.ThrowIfNull(arena);
        ArgumentNullException.ThrowIfNull(device);
        _arena = arena;
        Hpa = arena.Devices.Add(length, device);
    }

    /// <summary>Registers a range that is host memory.</summary>
    /// <param name="arena">The arena whose device space it takes.</param>
    /// <param name="length">Bytes, whole pages.</param>
    /// <param name="host">The memory, which stays the caller's and outlives the range.</param>
    public DevicePager(Arena arena, ulong length, byte* host)
    {
        ArgumentNullException.ThrowIfNull(arena);
        _arena = arena;
        Hpa = arena.Devices.Add(length, host);
    }

    /// <summary>The HPA of the range's first byte.</summary>
    public ulong Hpa { get; }

    /// <inheritdoc/>
    [AllocationFree]
    public void Read(in PagerBatch batch) => batch.Status.Fill(PagerStatus.Error);

    /// <inheritdoc/>
    [AllocationFree]
    public void Write(in PagerBatch batch) => batch.Status.Fill(PagerStatus.Error);

    /// <inheritdoc/>
    [AllocationFree]
    public void Discard(ReadOnlySpan<ulong> pages)
    {
    }

    /// <summary>Takes the range out of the device space. No translation to it exists any more.</summary>
    internal void Remove() => _arena.Devices.Remove(Hpa);
}
