using System.Threading;
using Pagoda.Simulator.Memory;
using Pagoda.Simulator.Scheduling;

namespace Pagoda.Core;

/// <summary>
/// The simulator's twin of the kernel's class: each access of an actor is a step of its schedule, and a store waits in
/// the actor's buffer. Outside every schedule it is the plain instruction.
/// </summary>
public static unsafe class Shared
{
    public static ulong Load(ulong* cell) => Processor.TryGet(out Processor by)
        ? by.Load((byte*)cell, sizeof(ulong)) : Volatile.Read(ref *cell);

    public static uint Load(uint* cell) => Processor.TryGet(out Processor by)
        ? (uint)by.Load((byte*)cell, sizeof(uint)) : Volatile.Read(ref *cell);

    public static ushort Load(ushort* cell) => Processor.TryGet(out Processor by)
        ? (ushort)by.Load((byte*)cell, sizeof(ushort)) : Volatile.Read(ref *cell);

    public static byte Load(byte* cell) => Processor.TryGet(out Processor by)
        ? (byte)by.Load(cell, sizeof(byte)) : Volatile.Read(ref *cell);

    public static void Store(ulong* cell, ulong value)
    {
        if (Processor.TryGet(out Processor by)) by.Store((byte*)cell, value, sizeof(ulong), StoreKind.Release);
        else Volatile.Write(ref *cell, value);
    }

    public static void Store(uint* cell, uint value)
    {
        if (Processor.TryGet(out Processor by)) by.Store((byte*)cell, value, sizeof(uint), StoreKind.Release);
        else Volatile.Write(ref *cell, value);
    }

    public static void Store(ushort* cell, ushort value)
    {
        if (Processor.TryGet(out Processor by)) by.Store((byte*)cell, value, sizeof(ushort), StoreKind.Release);
        else Volatile.Write(ref *cell, value);
    }

    public static void Store(byte* cell, byte value)
    {
        if (Processor.TryGet(out Processor by)) by.Store(cell, value, sizeof(byte), StoreKind.Release);
        else Volatile.Write(ref *cell, value);
    }

    /// <summary>For faults that are planted: a store that nothing orders where memory is weak.</summary>
    internal static void StorePlain(ulong* cell, ulong value)
    {
        if (Processor.TryGet(out Processor by)) by.Store((byte*)cell, value, sizeof(ulong), StoreKind.Plain);
        else Volatile.Write(ref *cell, value);
    }

    /// <inheritdoc cref="StorePlain(ulong*,ulong)"/>
    internal static void StorePlain(uint* cell, uint value)
    {
        if (Processor.TryGet(out Processor by)) by.Store((byte*)cell, value, sizeof(uint), StoreKind.Plain);
        else Volatile.Write(ref *cell, value);
    }

    /// <summary>Zeros that go past the caches; false outside a schedule: the caller zeroes.</summary>
    internal static bool TryZeroStreaming(byte* first, nuint bytes)
    {
        if (!Processor.TryGet(out Processor by)) return false;
        by.Store(first, 0, (int)bytes, StoreKind.Streaming);
        return true;
    }

    public static ulong CompareExchange(ulong* cell, ulong value, ulong expected)
    {
        if (!Processor.TryGet(out Processor by)) return Interlocked.CompareExchange(ref *cell, value, expected);
        by.Begin(cell);
        ulong found = *cell;
        if (found == expected) *cell = value;
        return by.End(cell, found, found == expected && value != found);
    }

    public static uint CompareExchange(uint* cell, uint value, uint expected)
    {
        if (!Processor.TryGet(out Processor by)) return Interlocked.CompareExchange(ref *cell, value, expected);
        by.Begin(cell);
        uint found = *cell;
        if (found == expected) Write(by, cell, value);
        return (uint)by.End(cell, found, found == expected && value != found);
    }

    public static ulong Exchange(ulong* cell, ulong value)
    {
        if (!Processor.TryGet(out Processor by)) return Interlocked.Exchange(ref *cell, value);
        by.Begin(cell);
        by.Exchanges(cell, value);
        ulong found = *cell;
        *cell = value;
        return by.End(cell, found, found != value);
    }

    public static uint Exchange(uint* cell, uint value)
    {
        if (!Processor.TryGet(out Processor by)) return Interlocked.Exchange(ref *cell, value);
        by.Begin(cell);
        uint found = *cell;
        Write(by, cell, value);
        return (uint)by.End(cell, found, found != value);
    }

    public static ulong Or(ulong* cell, ulong bits)
    {
        if (!Processor.TryGet(out Processor by)) return Interlocked.Or(ref *cell, bits);
        by.Begin(cell);
        ulong found = *cell;
        *cell = found | bits;
        return by.End(cell, found, (found | bits) != found);
    }

    public static uint Or(uint* cell, uint bits)
    {
        if (!Processor.TryGet(out Processor by)) return Interlocked.Or(ref *cell, bits);
        by.Begin(cell);
        uint found = *cell;
        Write(by, cell, found | bits);
        return (uint)by.End(cell, found, (found | bits) != found);
    }

    public static ulong And(ulong* cell, ulong bits)
    {
        if (!Processor.TryGet(out Processor by)) return Interlocked.And(ref *cell, bits);
        by.Begin(cell);
        ulong found = *cell;
        *cell = found & bits;
        return by.End(cell, found, (found & bits) != found);
    }

    public static uint And(uint* cell, uint bits)
    {
        if (!Processor.TryGet(out Processor by)) return Interlocked.And(ref *cell, bits);
        by.Begin(cell);
        uint found = *cell;
        Write(by, cell, found & bits);
        return (uint)by.End(cell, found, (found & bits) != found);
    }

    public static ulong Add(ulong* cell, ulong addend)
    {
        if (!Processor.TryGet(out Processor by)) return Interlocked.Add(ref *cell, addend);
        by.Begin(cell);
        *cell += addend;
        return by.End(cell, *cell, addend != 0);
    }

    public static uint Add(uint* cell, uint addend)
    {
        if (!Processor.TryGet(out Processor by)) return Interlocked.Add(ref *cell, addend);
        by.Begin(cell);
        Write(by, cell, *cell + addend);
        return (uint)by.End(cell, *cell, addend != 0);
    }

    public static ulong Increment(ulong* cell) => Add(cell, 1UL);

    public static uint Increment(uint* cell) => Add(cell, 1U);

    public static uint Decrement(uint* cell) => Add(cell, uint.MaxValue);

    // Cells of objects have no address that a buffer could keep: their stores are visible at once, behind all others.
    public static T Load<T>(ref readonly T cell) where T : class?
    {
        if (Processor.TryGet(out Processor by)) by.Step();
        return Volatile.Read(in cell);
    }

    public static void Store<T>(ref T cell, T value) where T : class?
    {
        if (Processor.TryGet(out Processor by)) by.Fence(locked: true);
        Volatile.Write(ref cell, value);
    }

    public static T CompareExchange<T>(ref T cell, T value, T expected) where T : class?
    {
        if (Processor.TryGet(out Processor by)) by.Fence(locked: true);
        return Interlocked.CompareExchange(ref cell, value, expected);
    }

    public static uint CompareExchange(ref uint cell, uint value, uint expected)
    {
        if (Processor.TryGet(out Processor by)) by.Fence(locked: true);
        return Interlocked.CompareExchange(ref cell, value, expected);
    }

    public static ulong Load(ref readonly ulong cell)
    {
        if (Processor.TryGet(out Processor by)) by.Step();
        return Volatile.Read(in cell);
    }

    public static void Store(ref ulong cell, ulong value)
    {
        if (Processor.TryGet(out Processor by)) by.Fence(locked: true);
        Volatile.Write(ref cell, value);
    }

    public static uint Load(ref readonly uint cell)
    {
        if (Processor.TryGet(out Processor by)) by.Step();
        return Volatile.Read(in cell);
    }

    public static void Fence()
    {
        if (Processor.TryGet(out Processor by)) by.Fence(locked: false);
        else Interlocked.MemoryBarrier();
    }

    public static void StoreFence()
    {
        if (Processor.TryGet(out Processor by)) by.Fence(locked: false);
        else Interlocked.MemoryBarrier();
    }

    private static void Write(Processor by, uint* cell, uint value)
    {
        by.Watch(cell, value);
        *cell = value;
    }
}
