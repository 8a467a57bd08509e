using System;
using System.Runtime.CompilerServices;
using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.AddressSpace;

/// <summary>The VM objects of one arena by the number that frame records name them by.</summary>
/// <remarks>
/// Numbers are used again after an object is gone. Changed under a lock of its own; found without one.
/// </remarks>
public sealed unsafe class VmObjectTable
{
    private static readonly ConditionalWeakTable<Arena, VmObjectTable> s_tables = [];

    private readonly NativeRegion _block = NativeRegion.Map((nuint)Paging.PageBytes);
    private readonly uint* _lock;
    private VmObject?[] _objects = new VmObject?[16];

    private VmObjectTable() => _lock = (uint*)_block.Base;

    /// <summary>The table of an arena, made at first use.</summary>
    public static VmObjectTable Of(Arena arena) => s_tables.GetValue(arena, static _ => new VmObjectTable());

    /// <summary>The object of a number; null when none has it.</summary>
    [AllocationFree]
    public VmObject? Find(uint id)
    {
        VmObject?[] objects = Shared.Load(ref _objects);
        return id < (uint)objects.Length ? Shared.Load(ref objects[id]) : null;
    }

    internal uint Add(VmObject memory)
    {
        Acquire();
        // Number 0 names nobody.
        uint id = 1;
        while (id < (uint)_objects.Length && _objects[id] is not null) id++;
        if (id == (uint)_objects.Length)
        {
            var objects = new VmObject?[2 * _objects.Length];
            Array.Copy(_objects, objects, _objects.Length);
            Shared.Store(ref _objects, objects);
        }
        Shared.Store(ref _objects[id], memory);
        ReleaseLock();
        return id;
    }

    [AllocationFree]
    internal void Remove(uint id)
    {
        Acquire();
        Invariant.Require(_objects[id] is not null);
        Shared.Store(ref _objects[id], null);
        ReleaseLock();
    }

    [AllocationFree]
    private void Acquire()
    {
        var wait = default(Wait);
        while (Shared.CompareExchange(_lock, 1, 0) != 0) wait.Step();
    }

    [AllocationFree]
    private void ReleaseLock() => Shared.Store(_lock, 0);
}
