using System;
using Pagoda.Core;
using Pagoda.Diagnostics;
using Pagoda.PageTables;
using Pagoda.Physical;
using Pagoda.Tlb;

namespace Pagoda.AddressSpace;

/// <summary>
/// What a guest's physical space consists of: the map that says what shall be where, the page tables that say what is
/// mapped now, and the consumers that follow those tables.
/// </summary>
/// <remarks>
/// The map is the truth and the tables are a cache of it: faults fill them, changes of the map empty them. A change is
/// made by one thread at a time, in this order: everything that can fail is checked; the map is edited; the
/// translations of the range are removed or narrowed; every consumer has let the old ones go; objects and pages that
/// are no longer shown are freed. A fault that is under way meanwhile finds, under its window's lock, that the map's
/// generation has moved, and looks again.
/// <para>Changes wait for consumers. Whoever makes one is outside every consumer slot of this vmspace, its own too,
/// or it waits for itself.</para>
/// <para>The order of freeing: consumers are gone, the map is empty, objects are let go, tables are freed, then
/// everything else. Frames that are held live on in the arena until their release.</para>
/// </remarks>
public sealed unsafe partial class Vmspace : IDisposable
{
    // Each consumer's announcement of calls has two lines for itself.
    private const int CallStrideBytes = 128;
    private const int ControlSlots = 1;
    private const int UnmappedMarksCell = 1;

    private readonly NativeRegion _block;
    private readonly uint* _changeLock;
    private readonly byte* _calls;
    private readonly VmspaceConsumer?[] _consumers;
    private readonly VmspaceConsumer _control;
    private PmapStatistics _lastStatistics;
    private bool _destroyed;

    /// <summary>An empty space.</summary>
    /// <param name="arena">Where table pages come from; every object shown must be of the same arena.</param>
    /// <param name="options">The type and capabilities of the tables.</param>
    /// <param name="slots">Consumers at most.</param>
    /// <exception cref="ArgumentException">The options name no table format.</exception>
    /// <exception cref="InsufficientMemoryException">No frame for the root table, or no native memory.</exception>
    public Vmspace(Arena arena, in PmapOptions options, int slots)
    {
        ArgumentNullException.ThrowIfNull(arena);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(slots);
        slots += ControlSlots;
        Arena = arena;
        Pmap = new Pmap(arena, in options);
        HardwareView = WalkFormat.FromPmap(options with { PhysBits = Pmap.Format.PhysBits }, Pmap.RootRegister);
        Consumers = new ConsumerTable(slots);
        Limbo = new Limbo(arena, Consumers);
        Map = new VmMap();
        Objects = VmObjectTable.Of(arena);
        ulong counters = CounterTable.BytesFor(slots);
        _block = NativeRegion.Map((nuint)(CounterTable.RowBytes + counters + (ulong)slots * CallStrideBytes));
        _changeLock = (uint*)_block.Base;
        Counters = new CounterTable(_block.Base + CounterTable.RowBytes, slots);
        _calls = _block.Base + CounterTable.RowBytes + counters;
        _consumers = new VmspaceConsumer?[slots];
        _control = AddConsumer();
        Neighbours = VmspaceTable.Of(arena);
        Neighbours.Add(this);
    }

    /// <summary>The arena of tables and pages.</summary>
    [AllocationFree]
    public Arena Arena { get; }

    /// <summary>The page tables.</summary>
    [AllocationFree]
    public Pmap Pmap { get; }

    /// <summary>The tables as hardware sees them, for walks.</summary>
    public WalkFormat HardwareView { get; }

    /// <summary>The consumers that follow them.</summary>
    [AllocationFree]
    public ConsumerTable Consumers { get; }

    /// <summary>Table pages that some consumer may still be in.</summary>
    [AllocationFree]
    public Limbo Limbo { get; }

    /// <summary>What shall be where.</summary>
    [AllocationFree]
    public VmMap Map { get; }

    /// <summary>The objects of the arena, by the numbers that frame records name.</summary>
    [AllocationFree]
    public VmObjectTable Objects { get; }

    /// <summary>Every space of the arena, and who makes room in it.</summary>
    [AllocationFree]
    public VmspaceTable Neighbours { get; }

    /// <summary>The first write to an untouched window maps all of it, where superpages are allowed.</summary>
    [AllocationFree]
    internal bool PopulatesWindows { get; init; }

    /// <summary>What happened.</summary>
    [AllocationFree]
    public CounterTable Counters { get; }

    /// <summary>Bits of a guest-physical address that the tables translate and the processor has.</summary>
    [AllocationFree]
    public int AddressBits
    {
        get
        {
            ref readonly PteFormat format = ref Pmap.Format;
            return int.Min(format.PhysBits, Paging.LevelShift(format.Levels + 1));
        }
    }

    /// <summary>Registers a consumer.</summary>
    /// <exception cref="InvalidOperationException">Every slot is taken.</exception>
    public VmspaceConsumer AddConsumer()
    {
        if (!Consumers.TryRegister(out int slot))
        {
            throw new InvalidOperationException("All " + _consumers.Length
                + " consumer slots of the guest are taken: dispose consumers, or make the guest with more.");
        }
        var consumer = new VmspaceConsumer(this, slot, (ulong*)(_calls + slot * CallStrideBytes));
        Shared.Store(ref _consumers[slot], consumer);
        return consumer;
    }

    /// <summary>What the tables hold and did; once the space is destroyed, what they did until then.</summary>
    internal PmapStatistics Statistics()
    {
        TakeChangeLock();
        PmapStatistics statistics = _lastStatistics;
        if (!_destroyed)
        {
            EnterControl();
            statistics = Pmap.GetStatistics();
            LeaveControl();
        }
        UnlockChanges();
        return statistics;
    }

    /// <summary>Gives a consumer's slot and its frames up. It is outside it, and in no call.</summary>
    internal void RemoveConsumer(VmspaceConsumer consumer)
    {
        // A destroyer empties the caches of the consumers that it finds, not beside one that empties its own.
        TakeChangeLock();
        Shared.Store(ref _consumers[consumer.Slot], null);
        Consumers.Unregister(consumer.Slot);
        consumer.Frames.Dispose();
        UnlockChanges();
    }

    /// <summary>
    /// Pages may be resident that no table maps any more, with a mark of a write on the frame alone: a protection
    /// change to no right, or a move, took their mappings.
    /// </summary>
    [AllocationFree]
    internal bool MayHaveUnmappedMarks => Shared.Load(_changeLock + UnmappedMarksCell) != 0;

    private void LockChanges(ulong gpa, ulong length)
    {
        TakeChangeLock();
        if (!_destroyed) return;
        UnlockChanges();
        MapException.ThrowDestroyed(gpa, length);
    }

    [AllocationFree]
    private void TakeChangeLock()
    {
        var wait = default(Wait);
        while (Shared.CompareExchange(_changeLock, 1, 0) != 0) wait.Step();
    }

    [AllocationFree]
    private void UnlockChanges() => Shared.Store(_changeLock, 0);
}
