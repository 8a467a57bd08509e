using System;
using System.Runtime.CompilerServices;
using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.AddressSpace;

/// <summary>The spaces of one arena: who takes a page away must take it from every one that shows it.</summary>
/// <remarks>
/// Changed under a lock of its own, found without one. A snapshot is never changed: a space that is made after it was
/// taken cannot map a page that was being taken away by then without saving it.
/// </remarks>
public sealed unsafe class VmspaceTable
{
    private static readonly ConditionalWeakTable<Arena, VmspaceTable> s_tables = [];

    private readonly NativeRegion _block = NativeRegion.Map((nuint)Paging.PageBytes);
    private readonly uint* _lock;
    private Vmspace[] _spaces = [];
    private MemoryRelief? _relief;

    private VmspaceTable() => _lock = (uint*)_block.Base;

    /// <summary>Who makes room in the arena; null when nobody does.</summary>
    [AllocationFree]
    public MemoryRelief? Relief => Shared.Load(ref _relief);

    /// <summary>The spaces at this moment. Some may be destroyed by the time they are looked at.</summary>
    [AllocationFree]
    public ReadOnlySpan<Vmspace> Snapshot => Shared.Load(ref _spaces);

    /// <summary>The same, to be kept; nobody changes it.</summary>
    [AllocationFree]
    internal Vmspace[] Kept => Shared.Load(ref _spaces);

    /// <summary>The table of an arena, made at first use.</summary>
    public static VmspaceTable Of(Arena arena) => s_tables.GetValue(arena, static _ => new VmspaceTable());

    /// <summary>Makes somebody the one who makes room. False: there is one already.</summary>
    public bool TryAttach(MemoryRelief relief)
    {
        ArgumentNullException.ThrowIfNull(relief);
        return Shared.CompareExchange<MemoryRelief?>(ref _relief, relief, null) is null;
    }

    /// <summary>Ends that. Faults that are under way may call once more.</summary>
    public void Detach(MemoryRelief relief) => Shared.CompareExchange<MemoryRelief?>(ref _relief, null, relief);

    internal void Add(Vmspace space)
    {
        Acquire();
        var spaces = new Vmspace[_spaces.Length + 1];
        Array.Copy(_spaces, spaces, _spaces.Length);
        spaces[^1] = space;
        Shared.Store(ref _spaces, spaces);
        ReleaseLock();
    }

    internal void Remove(Vmspace space)
    {
        Acquire();
        int at = Array.IndexOf(_spaces, space);
        Invariant.Require(at >= 0);
        var spaces = new Vmspace[_spaces.Length - 1];
        Array.Copy(_spaces, spaces, at);
        Array.Copy(_spaces, at + 1, spaces, at, spaces.Length - at);
        Shared.Store(ref _spaces, spaces);
        ReleaseLock();
    }

    private void Acquire()
    {
        var wait = default(Wait);
        while (Shared.CompareExchange(_lock, 1, 0) != 0) wait.Step();
    }

    private void ReleaseLock() => Shared.Store(_lock, 0);
}
