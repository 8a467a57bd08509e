using System;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Diagnostics;
using Pagoda.PageTables;
using Pagoda.Physical;

namespace Pagoda;

/// <summary>
/// A guest: its memory map, the nested tables that real or emulated hardware follows, and ways in for the host.
/// </summary>
/// <remarks>
/// A host makes an <see cref="Physical.Arena"/>, makes guests in it, maps memory, ROM and device ranges, adds one
/// <see cref="GuestConsumer"/> for each vCPU, and submits the faults that its vCPUs meet.
/// <para>Any thread may call any member, with one rule: <b>a thread that is inside a consumer's slot of this guest
/// calls none of them</b>. Map changes and harvests wait until every consumer has let old translations go, and would
/// wait for the caller itself.</para>
/// <para>Disposing a guest waits for its consumers to leave their slots, and succeeds while memory is held: a held
/// frame lives until its release. Dispose guests and consumers before the arena.</para>
/// </remarks>
public sealed unsafe partial class Guest : IDisposable
{
    /// <summary>Host calls that can be under way at the same time; a further one waits for one of them.</summary>
    private const int Walkers = 8;

    // Each walker's lock has two lines for itself.
    private const int LockStrideBytes = 128;

    private readonly VmspaceConsumer[] _walkers = new VmspaceConsumer[Walkers];
    private readonly NativeRegion _locks;
    private readonly byte* _lockCells;

    /// <summary>Makes a guest without memory.</summary>
    /// <param name="arena">Where its pages and tables come from.</param>
    /// <param name="options">The format of its tables.</param>
    /// <exception cref="ArgumentException">The options contradict each other, or the arena.</exception>
    /// <exception cref="InsufficientMemoryException">The arena has no frame for the top table.</exception>
    public Guest(Arena arena, GuestOptions options)
    {
        ArgumentNullException.ThrowIfNull(arena);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.Consumers);
        RequireLimits(options);
        Options = options;
        Space = new Vmspace(arena, new PmapOptions
        {
            Kind = options.Tables,
            Levels = options.Levels,
            HardwareAd = options.HardwareAd,
            Superpages = options.Superpages,
            Gigapages = options.Gigapages,
            ExecOnly = options.ExecOnly,
        }, options.Consumers + Walkers)
        {
            PopulatesWindows = options.Policy == SuperpagePolicy.Superpage,
            ReadAheadPages = options.ReadAheadPages,
            MinResidentPages = options.MinResidentBytes >> Core.Paging.PageShift,
            MaxResidentPages = options.MaxResidentBytes >> Core.Paging.PageShift,
        };
        _locks = NativeRegion.Map(Walkers * LockStrideBytes);
        _lockCells = _locks.Base;
        for (int i = 0; i < Walkers; i++) _walkers[i] = Space.AddConsumer();
    }

    /// <summary>Where its pages and tables come from.</summary>
    [AllocationFree]
    public Arena Arena => Space.Arena;

    /// <summary>The format of its tables.</summary>
    public GuestOptions Options { get; }

    /// <summary>The nested tables.</summary>
    [AllocationFree]
    public Pmap Pmap => Space.Pmap;

    /// <summary>The value of the register that points hardware at the tables: EPTP, nCR3 or CR3.</summary>
    [AllocationFree]
    public ulong RootRegister => Space.Pmap.RootRegister;

    /// <summary>Bits of a guest-physical address.</summary>
    public int AddressBits => Space.AddressBits;

    /// <summary>What the guest did so far.</summary>
    public GuestCounters Counters => GuestStatistics.Of(Space);

    internal Vmspace Space { get; }

    /// <summary>Adds a consumer: whatever follows translations of this guest, such as a vCPU.</summary>
    /// <exception cref="InvalidOperationException">As many as the options allow exist already.</exception>
    public GuestConsumer AddConsumer() => new(Space.AddConsumer());

    /// <summary>
    /// Ends the guest: waits until every consumer has left its slot and every call is over, then frees tables and
    /// pages.
    /// Held frames live until their release. Disposing twice is harmless.
    /// </summary>
    public void Dispose() => Space.Dispose();

    private static void RequireLimits(GuestOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(options.ReadAheadPages);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.ReadAheadPages, Faults.FaultLanes.AheadMax);
        ulong least = options.MinResidentBytes;
        ulong most = options.MaxResidentBytes;
        bool isWhole = ((least | most) & Core.Paging.PageOffsetMask) == 0;
        if (isWhole && (most == 0 || most >= least)) return;
        throw new ArgumentException("A guest that keeps " + least + " to " + most
            + " bytes resident cannot be made: give whole pages, and a maximum that is not below the minimum.",
            nameof(options));
    }

    /// <summary>Takes a walker for one call of the host. Waits while all are in use, which is short.</summary>
    [AllocationFree]
    private VmspaceConsumer TakeWalker(out int index)
    {
        var wait = default(Wait);
        while (true)
        {
            for (index = 0; index < Walkers; index++)
            {
                uint* cell = LockOf(index);
                if (Shared.Load(cell) == 0 && Shared.CompareExchange(cell, 1, 0) == 0) return _walkers[index];
            }
            wait.Step();
        }
    }

    [AllocationFree]
    private void GiveWalker(int index) => Shared.Store(LockOf(index), 0);

    [AllocationFree]
    private uint* LockOf(int index) => (uint*)(_lockCells + index * LockStrideBytes);
}
