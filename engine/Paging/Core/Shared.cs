using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using System.Threading;

namespace Pagoda.Core;

/// <summary>
/// Every access to state that another thread may write. Each member is the plain instruction; built with PAGODA_SIM
/// each one is a scheduling point of the simulator first.
/// </summary>
/// <remarks>
/// Load is an acquire, Store a release. CompareExchange, Exchange, Or, And, Add, Increment and Decrement are locked
/// operations and full fences. A plain store or load of a shared cell is never right, even on x64: the compiler may
/// move it.
/// </remarks>
[AllocationFree]
public static unsafe class Shared
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>Acquire load.</summary>
    [MethodImpl(Inline)]
    public static ulong Load(ulong* cell)
    {
        SchedulingPoint(cell);
        return Volatile.Read(ref *cell);
    }

    /// <inheritdoc cref="Load(ulong*)"/>
    [MethodImpl(Inline)]
    public static uint Load(uint* cell)
    {
        SchedulingPoint(cell);
        return Volatile.Read(ref *cell);
    }

    /// <inheritdoc cref="Load(ulong*)"/>
    [MethodImpl(Inline)]
    public static ushort Load(ushort* cell)
    {
        SchedulingPoint(cell);
        return Volatile.Read(ref *cell);
    }

    /// <inheritdoc cref="Load(ulong*)"/>
    [MethodImpl(Inline)]
    public static byte Load(byte* cell)
    {
        SchedulingPoint(cell);
        return Volatile.Read(ref *cell);
    }

    /// <summary>Release store.</summary>
    [MethodImpl(Inline)]
    public static void Store(ulong* cell, ulong value)
    {
        SchedulingPoint(cell);
        Volatile.Write(ref *cell, value);
    }

    /// <inheritdoc cref="Store(ulong*,ulong)"/>
    [MethodImpl(Inline)]
    public static void Store(uint* cell, uint value)
    {
        SchedulingPoint(cell);
        Volatile.Write(ref *cell, value);
    }

    /// <inheritdoc cref="Store(ulong*,ulong)"/>
    [MethodImpl(Inline)]
    public static void Store(ushort* cell, ushort value)
    {
        SchedulingPoint(cell);
        Volatile.Write(ref *cell, value);
    }

    /// <inheritdoc cref="Store(ulong*,ulong)"/>
    [MethodImpl(Inline)]
    public static void Store(byte* cell, byte value)
    {
        SchedulingPoint(cell);
        Volatile.Write(ref *cell, value);
    }

    /// <summary>Acquire load of a reference.</summary>
    [MethodImpl(Inline)]
    public static T Load<T>(ref readonly T cell) where T : class?
    {
        SchedulingPoint(null);
        return Volatile.Read(in cell);
    }

    /// <summary>Release store of a reference.</summary>
    [MethodImpl(Inline)]
    public static void Store<T>(ref T cell, T value) where T : class?
    {
        SchedulingPoint(null);
        Volatile.Write(ref cell, value);
    }

    /// <summary>Locked compare and exchange; returns what was there.</summary>
    [MethodImpl(Inline)]
    public static ulong CompareExchange(ulong* cell, ulong value, ulong expected)
    {
        SchedulingPoint(cell);
        return Interlocked.CompareExchange(ref *cell, value, expected);
    }

    /// <inheritdoc cref="CompareExchange(ulong*,ulong,ulong)"/>
    [MethodImpl(Inline)]
    public static uint CompareExchange(uint* cell, uint value, uint expected)
    {
        SchedulingPoint(cell);
        return Interlocked.CompareExchange(ref *cell, value, expected);
    }

    /// <summary>Locked compare and exchange of a reference; returns what was there.</summary>
    [MethodImpl(Inline)]
    public static T CompareExchange<T>(ref T cell, T value, T expected) where T : class?
    {
        SchedulingPoint(null);
        return Interlocked.CompareExchange(ref cell, value, expected);
    }

    /// <summary>Locked compare and exchange of a field of an object; returns what was there.</summary>
    [MethodImpl(Inline)]
    public static uint CompareExchange(ref uint cell, uint value, uint expected)
    {
        SchedulingPoint(null);
        return Interlocked.CompareExchange(ref cell, value, expected);
    }

    /// <summary>Acquire load of a field of an object.</summary>
    [MethodImpl(Inline)]
    public static ulong Load(ref readonly ulong cell)
    {
        SchedulingPoint(null);
        return Volatile.Read(in cell);
    }

    /// <summary>Release store to a field of an object.</summary>
    [MethodImpl(Inline)]
    public static void Store(ref ulong cell, ulong value)
    {
        SchedulingPoint(null);
        Volatile.Write(ref cell, value);
    }

    /// <summary>Acquire load of a field of an object.</summary>
    [MethodImpl(Inline)]
    public static uint Load(ref readonly uint cell)
    {
        SchedulingPoint(null);
        return Volatile.Read(in cell);
    }

    /// <summary>Locked exchange; returns what was there.</summary>
    [MethodImpl(Inline)]
    public static ulong Exchange(ulong* cell, ulong value)
    {
        SchedulingPoint(cell);
        return Interlocked.Exchange(ref *cell, value);
    }

    /// <inheritdoc cref="Exchange(ulong*,ulong)"/>
    [MethodImpl(Inline)]
    public static uint Exchange(uint* cell, uint value)
    {
        SchedulingPoint(cell);
        return Interlocked.Exchange(ref *cell, value);
    }

    /// <summary>Locked or; returns what was there.</summary>
    [MethodImpl(Inline)]
    public static ulong Or(ulong* cell, ulong bits)
    {
        SchedulingPoint(cell);
        return Interlocked.Or(ref *cell, bits);
    }

    /// <inheritdoc cref="Or(ulong*,ulong)"/>
    [MethodImpl(Inline)]
    public static uint Or(uint* cell, uint bits)
    {
        SchedulingPoint(cell);
        return Interlocked.Or(ref *cell, bits);
    }

    /// <summary>Locked and; returns what was there.</summary>
    [MethodImpl(Inline)]
    public static ulong And(ulong* cell, ulong bits)
    {
        SchedulingPoint(cell);
        return Interlocked.And(ref *cell, bits);
    }

    /// <inheritdoc cref="And(ulong*,ulong)"/>
    [MethodImpl(Inline)]
    public static uint And(uint* cell, uint bits)
    {
        SchedulingPoint(cell);
        return Interlocked.And(ref *cell, bits);
    }

    /// <summary>Locked add; returns the new value.</summary>
    [MethodImpl(Inline)]
    public static ulong Add(ulong* cell, ulong addend)
    {
        SchedulingPoint(cell);
        return Interlocked.Add(ref *cell, addend);
    }

    /// <inheritdoc cref="Add(ulong*,ulong)"/>
    [MethodImpl(Inline)]
    public static uint Add(uint* cell, uint addend)
    {
        SchedulingPoint(cell);
        return Interlocked.Add(ref *cell, addend);
    }

    /// <summary>Locked increment; returns the new value.</summary>
    [MethodImpl(Inline)]
    public static ulong Increment(ulong* cell) => Add(cell, 1UL);

    /// <inheritdoc cref="Increment(ulong*)"/>
    [MethodImpl(Inline)]
    public static uint Increment(uint* cell) => Add(cell, 1U);

    /// <summary>Locked decrement; returns the new value.</summary>
    [MethodImpl(Inline)]
    public static uint Decrement(uint* cell) => Add(cell, uint.MaxValue);

    /// <summary>Full fence.</summary>
    [MethodImpl(Inline)]
    public static void Fence()
    {
        SchedulingPoint(null);
        Interlocked.MemoryBarrier();
    }

    /// <summary>Store fence: orders streaming stores, which a release does not.</summary>
    [MethodImpl(Inline)]
    public static void StoreFence()
    {
        SchedulingPoint(null);
        if (Sse.IsSupported) Sse.StoreFence();
        else Interlocked.MemoryBarrier();
    }

#if PAGODA_SIM
    /// <summary>The simulator's hook: called before every shared access with its address.</summary>
    public static delegate*<void*, void> Hook { get; set; }

    private static void SchedulingPoint(void* cell)
    {
        if (Hook != null) Hook(cell);
    }
#else
    [MethodImpl(Inline)]
    private static void SchedulingPoint(void* cell) => _ = cell;
#endif
}
