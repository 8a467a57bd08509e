using System;
using System.Runtime.InteropServices;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.Reclaim;

/// <summary>
/// Keeps the guests of an arena within a budget: pages that were not used for the longest time go to their pagers.
/// </summary>
/// <remarks>
/// One an arena. Faults that find no room call it themselves, so it works without a thread; a host may also step it, by
/// hand or from a thread of its own, so that faults need not. One thread reclaims at a time, others wait for it outside
/// every slot.
/// <para>Pages are taken in cycles. A cycle ages every page: what was used since the last one is of this generation. It
/// finds the age from which on enough pages are idle, and takes those by address, in batches of up to 64,
/// until it has been everywhere; then the next begins.</para>
/// </remarks>
[AllocationFree]
public sealed unsafe partial class PageDaemon : MemoryRelief, IDisposable
{
    private const int BatchesMin = 8;
    private const int BatchesPerWriter = 4;

    /// <summary>Frames that a fault asks for at least: a batch is hardly more work than one page.</summary>
    private const ulong ReliefMin = 32;

    /// <summary>Faults that pass by after one that found nothing to take, unless the arena is empty.</summary>
    private const uint FutilePause = 256;

    private readonly Arena _arena;
    private readonly FrameTable _frames;
    private readonly VmspaceTable _spaces;
    private readonly VmObjectTable _objects;
    private readonly IPressureListener? _listener;
    private readonly ulong _low;
    private readonly ulong _high;
    private readonly NativeRegion _region;
    private readonly State* _state;
    private readonly SpinCell _lock;
    private readonly uint* _histogram;
    private readonly EvictionLanes* _batches;
    private readonly Vmspace?[] _owners;        // of each batch, the space that it was chosen from
    private readonly Vmspace[]?[] _shown;       // of each batch, the spaces that it was taken from
    private readonly ReclaimThreads? _threads;
    private readonly bool _hasThreads;
    private readonly ulong _budget;

    /// <summary>What threads share; each cell that many meet has two lines for itself.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 7 * 128)]
    private struct State
    {
        [FieldOffset(0)] public uint Lock;
        [FieldOffset(128)] public uint Futile;
        [FieldOffset(132)] public uint WriterTrouble;
        [FieldOffset(136)] public ulong Freed;              // Frames freed so far.
        [FieldOffset(144)] public uint Cooled;              // Pages were said to be cold.
        [FieldOffset(256)] public ulong FreeBatches;        // Bit i: batch i is nobody's.
        [FieldOffset(384)] public ulong QueuedBatches;      // Bit i: batch i waits for a writer.
        [FieldOffset(392)] public ulong HandedOver;         // Pages that writers have, or wait for them.
        [FieldOffset(512)] public ulong DaemonBell;
        [FieldOffset(640)] public ulong WriterBell;
        [FieldOffset(768)] public uint Ending;              // 1: the daemon ends; 2: so do the writers.
    }

    /// <summary>Makes the daemon of an arena.</summary>
    /// <param name="arena">The arena.</param>
    /// <param name="options">The budget.</param>
    /// <exception cref="InvalidOperationException">The arena has one already.</exception>
    /// <exception cref="InsufficientMemoryException">The system refused the memory.</exception>
    public PageDaemon(Arena arena, PageDaemonOptions options)
    {
        ArgumentNullException.ThrowIfNull(arena);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.HighBytes, options.LowBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(options.Threads);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.Threads, PageDaemonOptions.ThreadsMax);
        _arena = arena;
        _frames = arena.Frames;
        _listener = options.Listener;
        _low = options.LowBytes >> Paging.PageShift;
        _high = options.HighBytes >> Paging.PageShift;
        _spaces = VmspaceTable.Of(arena);
        _objects = VmObjectTable.Of(arena);
        ulong all = arena.FrameCount - 1;
        ulong wanted = options.ResidentBytes >> Paging.PageShift;
        _budget = wanted == 0 ? all : ulong.Min(wanted, all);
        int batches = BatchesMin + BatchesPerWriter * options.Threads;
        nuint histogram = AgesMax * sizeof(uint);
        _region = NativeRegion.Map((nuint)sizeof(State) + histogram + (nuint)(batches * sizeof(EvictionLanes)));
        _state = (State*)_region.Base;
        _lock = new SpinCell(&_state->Lock);
        _histogram = (uint*)(_state + 1);
        _batches = (EvictionLanes*)(_region.Base + (nuint)sizeof(State) + histogram);
        _owners = new Vmspace?[batches];
        _shown = new Vmspace[]?[batches];
        Shared.Store(&_state->FreeBatches, AllBatches);
        if (!_spaces.TryAttach(this))
        {
            _region.Dispose();
            throw new InvalidOperationException("The arena has a page daemon already: dispose that one first.");
        }
        _hasThreads = options.Threads != 0;
        if (_hasThreads) _threads = new ReclaimThreads(this, options.Threads);
    }

    /// <summary>Frames that may be in use.</summary>
    public ulong BudgetFrames => _budget;

    /// <summary>Frames in use at this moment: pages, tables, indexes, and what consumers keep at hand.</summary>
    public ulong UsedFrames =>
        _arena.FrameCount - 1 - (_arena.Allocator.FreeFrames + (ulong)_arena.Zeroed.Stock);

    /// <inheritdoc/>
    public override bool IsShort(int frames)
    {
        ulong used = UsedFrames + (ulong)frames;
        uint pause = Shared.Load(&_state->Futile);
        // The daemon's own thread makes room ahead of need; faults do when it is too late for that.
        if (_hasThreads && used + _low > _budget && pause == 0) DaemonBell.Ring();
        if (used <= _budget) return false;
        if (pause == 0 || used >= _arena.FrameCount) return true;
        // A hint: two that count at once are as good as one.
        Shared.Store(&_state->Futile, pause - 1);
        return false;
    }

    /// <inheritdoc/>
    public override bool HasRoom(int frames) => UsedFrames + (ulong)frames <= _budget;

    /// <inheritdoc/>
    public override int Relieve(int frames)
    {
        ulong used = UsedFrames + (ulong)frames;
        ulong over = used > _budget ? used - _budget : 0;
        // Also within the budget: what is left may be in the caches of other consumers.
        return Relieve((int)ulong.Max(over, ReliefMin), null);
    }

    /// <inheritdoc/>
    public override int Relieve(Vmspace space, int frames) => Relieve(frames, space);

    /// <summary>
    /// One step of the daemon: when less is free below the budget than the low mark, frees up to the high one, and
    /// writes idle dirty pages ahead. The caller is outside every consumer slot.
    /// </summary>
    public ReclaimResult Step()
    {
        ulong used = UsedFrames;
        if (used + _low <= _budget) return default;
        ReclaimResult result = Run((int)ulong.Min(used + _high - _budget, int.MaxValue));
        if (result.End == ReclaimEnd.Enough) Launder(EvictionLanes.Max);
        Tell(result);
        return result;
    }

    /// <summary>Takes up to so many frames back, whatever the budget says. The caller is outside every slot.</summary>
    /// <param name="frames">Frames; none for less than 1.</param>
    public ReclaimResult Reclaim(int frames)
    {
        ReclaimResult result = Run(frames);
        Tell(result);
        return result;
    }

    /// <summary>
    /// Ages every page once, as the start of a cycle does, without taking any. The caller is outside every slot.
    /// </summary>
    public void Age()
    {
        _lock.Acquire();
        BeginCycle(1, null);
        _lock.Release();
    }

    /// <summary>
    /// Gives free 2 MiB chunks of the arena back to the system, for a host that is short itself. With threads the
    /// daemon does so when there was no pressure for a while.
    /// </summary>
    /// <returns>Bytes given back.</returns>
    public ulong Trim() => _arena.Trim();

    /// <inheritdoc/>
    public override void Cooled() => Shared.Store(&_state->Cooled, 1);

    /// <inheritdoc/>
    public override void PageLost(VmObject memory, ulong page) => _listener?.PageLost(memory, page);

    /// <summary>
    /// Ends it and its threads: what they have begun is finished, then pages stay where they are. No fault and no step
    /// is under way.
    /// </summary>
    public void Dispose()
    {
        if (_region.IsClosed) return;
        _threads?.Dispose();
        _spaces.Detach(this);
        _region.Dispose();
    }

    private int Relieve(int wanted, Vmspace? only)
    {
        ulong before = Shared.Load(&_state->Freed);
        var wait = default(Wait);
        ReclaimResult result;
        int freed;
        while (true)
        {
            result = Run(wanted, handsOver: false, only, out bool metChange);
            freed = result.Freed;
            if (freed != 0) break;
            // All that could go may be on its way out in the hands of others.
            while (AnyBatchOut && Shared.Load(&_state->Freed) == before) wait.Step();
            freed = (int)ulong.Min(Shared.Load(&_state->Freed) - before, int.MaxValue);
            if (freed != 0 || !metChange) break;
            // Or of a guest whose map is being changed: that waits for nothing that the caller has.
            wait.Step();
        }
        if (only is null) Shared.Store(&_state->Futile, freed == 0 ? FutilePause : 0);
        if (freed == 0) Tell(result);
        return freed;
    }

    private void Tell(ReclaimResult result)
    {
        if (result.End != ReclaimEnd.Enough) _listener?.Pressure(result);
    }
}
