using System.Numerics;
using System.Runtime.CompilerServices;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Diagnostics;
using Pagoda.PageTables;

namespace Pagoda.Faults;

/// <summary>
/// One pass of the pipeline over at most 64 lanes; a stage a file. Sets of lanes are words of 64 bits.
/// </summary>
[AllocationFree]
internal unsafe ref partial struct FaultRun
{
    /// <summary>Frames in reserve beside the pages': tables of three levels and an index page.</summary>
    private const int FramesBeside = 4;

    /// <summary>How often a run makes room and finds it gone before its lanes end without memory.</summary>
    private const int ReliefsMax = 16;

    private readonly VmspaceConsumer _consumer;
    private readonly Vmspace _space;
    private readonly Pmap _pmap;
    private readonly FaultLanes* _lanes;
    private readonly ulong* _gpa;
    private readonly Prot* _access;
    private readonly ulong* _hpa;
    private readonly FaultStatus* _status;
    private readonly int _count;

    // Lanes without a final status; those that start again; those whose page is Busy and ours; those folded onto
    // others.
    private ulong _pending;
    private ulong _again;
    private ulong _claimed;
    private ulong _folded;
    private ulong _wired;           // lanes in wired ranges

    // Lanes whose window one map entry shows whole; of the claimed ones, those that need zeros, and those of them that
    // announced a run of frames.
    private ulong _whole;
    private ulong _zeros;
    private ulong _makers;
    private uint* _making;          // the cell of the run that was announced last

    private readonly bool _mayPopulate;
    private int _populating;        // the level of the superpage whose pages are all claimed; 0 for none
    private int _populateLane;
    private ulong _populateFirst;   // the object's page that it begins with
    private int _levelMax;          // larger superpages were tried in vain; 0: none was

    private int _ordered;           // how many lanes _lanes->Order holds
    private ulong _generation;      // the map's, in which the lanes were located
    private VmObject? _memory;      // the object that was looked up last
    private ulong* _metBusy;        // a word that others have claimed, and what it was; null for none
    private ulong _busySeen;
    private bool _metMaking;        // another fault makes the run of frames for a window
    private Wait _pause;
    private bool _metEdit;
    private bool _entered;          // something was entered in the window whose lock is held
    private bool _promoted;
    private bool _starved;
    private int _reliefs;
    private int _over;              // pages that the guest would be over its maximum
    private int _aheads;            // pages that are read along

    // Lanes by their final status; the others are resolved.
    private int _spurious;
    private int _emulated;
    private int _unmapped;
    private int _failed;

    public FaultRun(VmspaceConsumer consumer, FaultLanes* lanes, ulong* gpa, Prot* access, ulong* hpa,
        FaultStatus* status, int count)
    {
        Invariant.Assert(count <= FaultLanes.Max);
        _consumer = consumer;
        _space = consumer.Space;
        _pmap = _space.Pmap;
        _lanes = lanes;
        _gpa = gpa;
        _access = access;
        _hpa = hpa;
        _status = status;
        _count = count;
        _populateLane = -1;
        _mayPopulate = _space.PopulatesWindows || _pmap.Format.Gigapages;
        _pending = count == FaultLanes.Max ? ulong.MaxValue : (1UL << count) - 1;
    }

    /// <summary>Runs the stages until every lane has a final status; returns how many accesses are allowed.</summary>
    public int Resolve()
    {
        while (_pending != 0)
        {
            // Before the slot is entered: a refill may zero frames, or find none.
            MakeRoom(BitOperations.PopCount(_pending) + FramesBeside);
            if (!_consumer.TryEnter())
            {
                End(_pending, FaultStatus.Destroyed);
                break;
            }
            Probe();
            if (_pending != 0 && _space.MaxResidentPages != 0) CheckMaximum();
            if (_pending != 0) Locate();
            if (_pending != 0) Claim();
            _consumer.Exit();
            if (_claimed != 0)
            {
                SupplyZeros();
                Supply();
                Publish();
            }
            if (_populating != 0) Populate();
            if (_folded != 0) Unfold();
            if (_promoted) RecycleTables();
            if (_again == 0) break;
            StartAgain();
            if (_over != 0) KeepMaximum();
            if (_starved) Relieve();
        }
        return Count();
    }

    /// <summary>Lets lanes start again, behind the wait for a page that others have claimed.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void StartAgain()
    {
        ulong lanes = (ulong)BitOperations.PopCount(_again);
        if (_metBusy != null)
        {
            _consumer.Counters.AddIfAny(Counter.BusyRetries, lanes);
            // Here the consumer owns no Busy page and is in no slot: it may wait for others. One page is enough, since
            // all lanes look again.
            if (Planted.Is(PlantedFault.SleepsWhileActive)) _consumer.TryEnter();
            PageWord.Sleep(_metBusy, _busySeen);
            if (Planted.Is(PlantedFault.SleepsWhileActive)) _consumer.Exit();
        }
        else if (_metMaking)
        {
            // Short: 2 MiB are being zeroed.
            _consumer.Counters.AddIfAny(Counter.BusyRetries, lanes);
            _pause.Step();
        }
        if (_metEdit) _consumer.Counters.AddIfAny(Counter.MapRetries, lanes);
        _pending = _again;
        _again = 0;
        _metBusy = null;
        _metMaking = false;
        _metEdit = false;
    }

    /// <summary>Fills the consumer's cache, from what can be taken from others where the budget asks for it.</summary>
    private readonly void MakeRoom(int frames)
    {
        int wanted = frames - _consumer.Frames.Count;
        if (wanted <= 0) return;
        // A destroyer whose mark is not seen here sees that this call is under way, and leaves the cache to it.
        Shared.Fence();
        if (_space.Consumers.IsDying) return;
        MemoryRelief? relief = _space.Neighbours.Relief;
        if (relief is not null && relief.IsShort(wanted)) relief.Relieve(wanted);
        if (_consumer.Frames.Reserve(frames) >= frames) return;
        _space.Limbo.Hasten();
        if (_space.Limbo.Recycle() != 0) _consumer.Frames.Reserve(frames);
    }

    /// <summary>A lane that found no frame: it starts again once there is room, or ends without memory.</summary>
    private void Starve(int lane)
    {
        if (Planted.Is(PlantedFault.RelievesUnderLock)) Relieve();
        if (_reliefs == ReliefsMax || _space.Neighbours.Relief is null)
        {
            End(lane, FaultStatus.OutOfMemory);
            return;
        }
        Restart(lane);
        _starved = true;
    }

    /// <summary>Has room made for the lanes that starved. In no slot, and without a Busy page.</summary>
    private void Relieve()
    {
        _starved = false;
        _reliefs++;
        int frames = BitOperations.PopCount(_pending) + FramesBeside;
        MemoryRelief? relief = _space.Neighbours.Relief;
        if (relief is null || relief.Relieve(frames) == 0) _reliefs = ReliefsMax;
    }

    /// <summary>Gives lanes a final status without a translation.</summary>
    private void End(ulong set, FaultStatus status)
    {
        _pending &= ~set;
        for (; set != 0; set &= set - 1) End(BitOperations.TrailingZeroCount(set), status);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void End(int lane, FaultStatus status)
    {
        _pending &= ~(1UL << lane);
        _status[lane] = status;
        _hpa[lane] = 0;
        Tally(status);
    }

    /// <summary>Gives a lane a final status with a translation.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void End(int lane, FaultStatus status, ulong hpa)
    {
        _pending &= ~(1UL << lane);
        _status[lane] = status;
        _hpa[lane] = hpa | (_gpa[lane] & Paging.PageOffsetMask);
        Tally(status);
    }

    /// <summary>Lets a lane start again at the probe.</summary>
    private void Restart(int lane)
    {
        _pending &= ~(1UL << lane);
        _again |= 1UL << lane;
    }

    /// <summary>Folded lanes end as the lanes that stand for them did.</summary>
    private void Unfold()
    {
        for (ulong set = _folded; set != 0; set &= set - 1)
        {
            int lane = BitOperations.TrailingZeroCount(set);
            int leader = _lanes->Leader[lane];
            if ((_again >> leader & 1) != 0)
            {
                _again |= 1UL << lane;
                continue;
            }
            _status[lane] = _status[leader];
            ulong page = _hpa[leader] & ~(ulong)Paging.PageOffsetMask;
            _hpa[lane] = page == 0 ? 0 : page | (_gpa[lane] & Paging.PageOffsetMask);
            Tally(_status[lane]);
        }
        _folded = 0;
    }

    /// <summary>Adds what happened to the consumer's counters; returns how many accesses are allowed.</summary>
    private readonly int Count()
    {
        CounterRow counters = _consumer.Counters;
        int allowed = _count - _unmapped - _failed;
        if (_spurious + _emulated + _unmapped + _failed != 0)
        {
            counters.AddIfAny(Counter.SpuriousFaults, (ulong)_spurious);
            counters.AddIfAny(Counter.UnmappedFaults, (ulong)_unmapped);
            counters.AddIfAny(Counter.FailedFaults, (ulong)_failed);
        }
        counters.AddIfAny(Counter.NestedFaults, (ulong)(allowed - _spurious - _emulated));
        return allowed;
    }

    /// <summary>Counts a lane's final status; Resolved is what is left.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Tally(FaultStatus status)
    {
        if (status == FaultStatus.Resolved) return;
        if (status == FaultStatus.Spurious) _spurious++;
        else if (status == FaultStatus.Emulated) _emulated++;
        else if (status == FaultStatus.NoMapping) _unmapped++;
        else _failed++;
    }
}
