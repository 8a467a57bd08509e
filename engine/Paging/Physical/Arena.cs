using System;
using System.Runtime.CompilerServices;
using Pagoda.Core;

namespace Pagoda.Physical;

/// <summary>
/// The memory of guests: one contiguous run of frames, their bookkeeping, and the device ranges beside it.
/// </summary>
/// <remarks>
/// <code>
///   HPA  0                        Bytes                DeviceBase = 1 &lt;&lt; (PhysBits - 1)
///        +------+-----------------+----- - - - - ------+--------------------- - - -
///        | none | frames          |      nothing       | device ranges
///        +------+-----------------+----- - - - - ------+--------------------- - - -
/// </code>
/// <para>
/// An HPA is an address in this space and has nothing to do with the machine's. Below <see cref="Bytes"/> lies a frame,
/// its record, and the byte at <see cref="DirectMap"/>; that map is always resident and is the only way managed code
/// reaches guest bytes. From <see cref="DeviceBase"/> on lie the device ranges. <c>hpa &lt; Bytes</c> is the one test.
/// </para>
/// <para>
/// The arena owns everything here and frees it in <see cref="Dispose"/>: whoever has a pointer from it must be gone by
/// then. Its members may be used by any thread; a <see cref="FrameCache"/> belongs to one.
/// </para>
/// </remarks>
public sealed unsafe class Arena : IDisposable
{
    private readonly ArenaMapping _mapping;

    /// <summary>Maps the memory and makes its bookkeeping; commits little unless asked to prefault.</summary>
    /// <exception cref="ArgumentException">An option is wrong by itself, or two contradict each other.</exception>
    /// <exception cref="ArenaException">The system refused what an option asks for.</exception>
    /// <exception cref="InsufficientMemoryException">The system refused the bookkeeping's memory.</exception>
    /// <exception cref="PlatformNotSupportedException">Not Linux on x64.</exception>
    public Arena(ArenaOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        HostCaps.RequireSupported();
        ArenaOptionsCheck.Require(options);
        PhysBits = options.PhysBits;
        Bytes = options.Bytes;
        FrameCount = (uint)(options.Bytes >> Core.Paging.PageShift);
        _mapping = new ArenaMapping(options);
        bool complete = false;
        try
        {
            Base = _mapping.Base;
            if (options.Prefault) _mapping.Prefault();
            Frames = new FrameTable(FrameCount);
            Allocator = new FrameAllocator(Frames, _mapping, options.Prefault);
            Reservations = new Reservations(Frames, Allocator, Base);
            Zeroed = new ZeroedPool(Frames, Allocator, Reservations, Base);
            Devices = new DeviceRanges(DeviceBase, 1UL << PhysBits);
            complete = true;
        }
        finally
        {
            // Not left to finalizers: a prefaulted arena that fails late would keep its memory until some collection.
            if (!complete) Dispose();
        }
    }

    /// <summary>The host address of HPA 0, on a 2 MiB boundary unless the caller brought the memory.</summary>
    public byte* Base { get; }

    /// <summary>Bytes of the arena: every HPA below is memory with a frame.</summary>
    public ulong Bytes { get; }

    /// <summary>Frames, frame 0 included.</summary>
    public uint FrameCount { get; }

    /// <summary>Physical address bits.</summary>
    public int PhysBits { get; }

    /// <summary>The first HPA of device memory.</summary>
    [AllocationFree]
    public ulong DeviceBase => 1UL << (PhysBits - 1);

    /// <summary>Where the memory comes from.</summary>
    public ArenaBacking Backing => _mapping.Backing;

    /// <summary>
    /// The descriptor of a memfd arena, for mapping it elsewhere; -1 for other backings. The arena's.
    /// </summary>
    public int MemoryFd => _mapping.Fd;

    /// <summary>Records and columns of the frames.</summary>
    public FrameTable Frames { get; } = null!;

    /// <summary>The buddy allocator of the frames.</summary>
    public FrameAllocator Allocator { get; } = null!;

    /// <summary>Frames zeroed ahead.</summary>
    public ZeroedPool Zeroed { get; } = null!;

    /// <summary>Runs of frames set aside for superpages.</summary>
    public Reservations Reservations { get; } = null!;

    /// <summary>What stands behind the HPAs from <see cref="DeviceBase"/> on.</summary>
    public DeviceRanges Devices { get; } = null!;

    /// <summary>
    /// Whether the host has enough reserved 2 MiB pages for an arena of that many bytes at this moment.
    /// </summary>
    /// <param name="bytes">A multiple of 2 MiB.</param>
    public static bool CanUseHugetlb(ulong bytes)
    {
        if (NativeRegion.TryMapHugetlb((nuint)bytes, out NativeRegion? region) != 0) return false;
        region!.Dispose();
        return true;
    }

    /// <summary>Whether an HPA is memory with a frame.</summary>
    [AllocationFree]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsArena(ulong hpa) => hpa < Bytes;

    /// <summary>The host address of an HPA below <see cref="Bytes"/>.</summary>
    [AllocationFree]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte* DirectMap(ulong hpa)
    {
        Invariant.Assert(hpa < Bytes);
        return Base + hpa;
    }

    /// <summary>
    /// Gives committed but free 2 MiB chunks back to the system; frames in the zeroed pool count as free, those in
    /// consumers' caches do not. Slow, and meant for a host that is short: a recycled frame is cheaper than a new one.
    /// </summary>
    /// <returns>Bytes given back.</returns>
    [AllocationFree]
    public ulong Trim()
    {
        Zeroed.Drain();
        return Allocator.Trim();
    }

    /// <summary>Unmaps everything. Nobody may use the arena or a pointer from it any more.</summary>
    public void Dispose()
    {
        Zeroed?.Dispose();
        Reservations?.Dispose();
        Allocator?.Dispose();
        Frames?.Dispose();
        _mapping.Dispose();
    }
}
