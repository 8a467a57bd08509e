using System;
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
    // Each cell that many threads meet has two lines for itself.
    private const int LockCell = 0;
    private const int FutileCell = 16;
    private const int CooledCell = 17;
    private const int LanesOffset = 256;

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
    private readonly uint* _cells;
    private readonly EvictionLanes* _lanes;
    private readonly uint* _histogram;
    private readonly ulong _budget;

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
        nuint histogram = (nuint)(AgesMax * sizeof(uint));
        _region = NativeRegion.Map((nuint)(LanesOffset + sizeof(EvictionLanes)) + histogram);
        _cells = (uint*)_region.Base;
        _lanes = (EvictionLanes*)(_region.Base + LanesOffset);
        _histogram = (uint*)(_region.Base + LanesOffset + sizeof(EvictionLanes));
        if (_spaces.TryAttach(this)) return;
        _region.Dispose();
        throw new InvalidOperationException("The arena has a page daemon already: dispose that one first.");
    }

    /// <summary>Frames that may be in use.</summary>
    public ulong BudgetFrames => _budget;

    /// <summary>Frames in use at this moment: pages, tables, indexes, and what consumers keep at hand.</summary>
    public ulong UsedFrames =>
        _arena.FrameCount - 1 - (_arena.Allocator.FreeFrames + (ulong)_arena.Zeroed.Stock);

    /// <inheritdoc/>
    public override bool IsShort(int frames)
    {
        if (UsedFrames + (ulong)frames <= _budget) return false;
        uint pause = Shared.Load(_cells + FutileCell);
        if (pause == 0 || UsedFrames + (ulong)frames >= _arena.FrameCount) return true;
        // A hint: two that count at once are as good as one.
        Shared.Store(_cells + FutileCell, pause - 1);
        return false;
    }

    /// <inheritdoc/>
    public override int Relieve(int frames)
    {
        ulong budget = _budget;
        Acquire(out bool waited);
        if (waited && UsedFrames + (ulong)frames <= budget)
        {
            Release();
            return frames;
        }
        ulong over = UsedFrames + (ulong)frames;
        over = over > budget ? over - budget : 0;
        // Also within the budget: what is left may be in the caches of other consumers.
        int wanted = (int)ulong.Max(over, ReliefMin);
        ReclaimResult result = RunCycles(wanted);
        Shared.Store(_cells + FutileCell, result.Freed == 0 ? FutilePause : 0);
        Release();
        Tell(result);
        return result.Freed;
    }

    /// <summary>
    /// One step of the daemon: when less is free below the budget than the low mark, frees up to the high one. The
    /// caller is outside every consumer slot.
    /// </summary>
    public ReclaimResult Step()
    {
        ulong low = _low;
        ulong high = _high;
        if (UsedFrames + low <= _budget) return default;
        Acquire(out _);
        ulong used = UsedFrames;
        ReclaimResult result = default;
        if (used + low > _budget) result = RunCycles((int)ulong.Min(used + high - _budget, int.MaxValue));
        Release();
        Tell(result);
        return result;
    }

    /// <summary>Takes up to so many frames back, whatever the budget says. The caller is outside every slot.</summary>
    /// <param name="frames">Frames; none for less than 1.</param>
    public ReclaimResult Reclaim(int frames)
    {
        Acquire(out _);
        ReclaimResult result = RunCycles(frames);
        Release();
        Tell(result);
        return result;
    }

    /// <summary>
    /// Ages every page once, as the start of a cycle does, without taking any. The caller is outside every slot.
    /// </summary>
    public void Age()
    {
        Acquire(out _);
        BeginCycle(1);
        Release();
    }

    /// <inheritdoc/>
    public override void Cooled() => Shared.Store(_cells + CooledCell, 1);

    /// <inheritdoc/>
    public override void PageLost(VmObject memory, ulong page) => _listener?.PageLost(memory, page);

    /// <summary>Ends it: pages stay where they are from here on. No fault and no step is under way.</summary>
    public void Dispose()
    {
        if (_region.IsClosed) return;
        _spaces.Detach(this);
        _region.Dispose();
    }

    private void Tell(ReclaimResult result)
    {
        if (result.End != ReclaimEnd.Enough) _listener?.Pressure(result);
    }

    private void Acquire(out bool waited)
    {
        var wait = default(Wait);
        while (Shared.CompareExchange(_cells + LockCell, 1, 0) != 0) wait.Step();
        waited = wait.Steps != 0;
    }

    private void Release() => Shared.Store(_cells + LockCell, 0);
}
