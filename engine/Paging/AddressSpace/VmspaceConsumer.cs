using System;
using System.Runtime.CompilerServices;
using Pagoda.Core;
using Pagoda.Diagnostics;
using Pagoda.Physical;

namespace Pagoda.AddressSpace;

/// <summary>One thread's way into a vmspace: a consumer slot, a cache of zeroed frames, a row of counters.</summary>
/// <remarks>
/// One thread at a time uses it. Inside the slot (between <see cref="TryEnter"/> and <see cref="Exit"/>) it may follow
/// table pointers, find objects and touch frames; it must not wait there, except for a window lock. A call that is
/// under way (between <see cref="BeginCall"/> and <see cref="EndCall"/>) may leave the slot and come back: destruction
/// waits for both.
/// </remarks>
public sealed unsafe class VmspaceConsumer : IDisposable
{
    private readonly ulong* _calling;
    private readonly VmMap _map;
    private bool _disposed;

    // The entry found last, and the generation in which it was; an odd one never is the map's.
    private MapEntry _entry;
    private VmObject? _memory;
    private ulong _generation = 1;

    internal VmspaceConsumer(Vmspace space, int slot, ulong* calling)
    {
        Space = space;
        Slot = slot;
        Frames = new FrameCache(space.Arena);
        Counters = space.Counters.RowOf(slot);
        _calling = calling;
        _map = space.Map;
    }

    /// <summary>The vmspace.</summary>
    [AllocationFree]
    public Vmspace Space { get; }

    /// <summary>The slot in the vmspace's consumer table.</summary>
    [AllocationFree]
    public int Slot { get; }

    /// <summary>Zeroed frames of its own.</summary>
    [AllocationFree]
    public FrameCache Frames { get; }

    /// <summary>Counters of its own.</summary>
    [AllocationFree]
    public CounterRow Counters { get; }

    /// <summary>Its faults bring memory in ahead of use: 1 GiB leaves are worth their pages.</summary>
    [AllocationFree]
    internal bool Prefaults { get; set; }

    /// <summary>Pages that it may map before those of a guest with a maximum are counted again.</summary>
    [AllocationFree]
    internal ulong Allowance { get; set; }

    /// <summary>
    /// Enters the slot as a walker: a consumer that caches nothing. False: the guest is being destroyed.
    /// </summary>
    [AllocationFree]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryEnter() =>
        Planted.Is(PlantedFault.WalkerIsNoConsumer) || Space.Consumers.EnterWalker(Slot);

    /// <summary>
    /// Leaves the slot. No pointer that was found inside may be used any more, unless its frame is held.
    /// </summary>
    [AllocationFree]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Exit() => Space.Consumers.Exit(Slot);

    /// <summary>What a walker must not do while it uses what it found; the simulator plants it.</summary>
    [AllocationFree]
    internal void Acknowledge() => Space.Consumers.Acknowledge(Slot, Space.Consumers.Generation);

    /// <summary>
    /// Looks an address up in the map, as <see cref="VmMap.TryFind"/> does. Inside the slot. What was found last is
    /// kept while the map does not change: most faults of a thread are in the entry of the one before.
    /// </summary>
    [AllocationFree]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool TryFind(ulong gpa, out MapEntry entry, out VmObject? memory, out ulong generation)
    {
        generation = _map.Generation;
        if (generation == _generation && gpa - _entry.Start < _entry.Length)
        {
            entry = _entry;
            memory = _memory;
            return true;
        }
        return TryFindAnew(gpa, out entry, out memory, out generation);
    }

    [AllocationFree]
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryFindAnew(ulong gpa, out MapEntry entry, out VmObject? memory, out ulong generation)
    {
        if (!_map.TryFind(gpa, out entry, out memory, out generation)) return false;
        _entry = entry;
        _memory = memory;
        _generation = generation;
        return true;
    }

    /// <summary>
    /// Announces work that spans several stays in the slot. The entry that follows is a locked operation, so the
    /// announcement is seen by a destroyer whose mark that entry does not see.
    /// </summary>
    [AllocationFree]
    internal void BeginCall() => Shared.Store(_calling, 1);

    /// <summary>
    /// The work is done: the consumer owns no Busy page, and its cache may be drained by a destroyer.
    /// </summary>
    [AllocationFree]
    internal void EndCall() => Shared.Store(_calling, 0);

    /// <summary>Waits until no call is under way. The guest is marked as being destroyed, so no other begins.</summary>
    internal void WaitForCall()
    {
        var wait = default(Wait);
        while (Shared.Load(_calling) != 0) wait.Step();
    }

    /// <summary>Gives the cached frames back and the slot up. Disposing twice is harmless.</summary>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        Space.RemoveConsumer(this);
    }
}
