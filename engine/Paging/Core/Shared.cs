using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using System.Threading;

namespace Pagoda.Core;

/// <summary>
/// Every access to state that another thread may write. Each member is the plain instruction; the
/// simulator has a twin of this file, in which each is a step of its schedule.
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
        return Volatile.Read(ref *cell);
    }

    /// <inheritdoc cref="Load(ulong*)"/>
    [MethodImpl(Inline)]
    public static uint Load(uint* cell)
    {
        return Volatile.Read(ref *cell);
    }

    /// <inheritdoc cref="Load(ulong*)"/>
    [MethodImpl(Inline)]
    public static ushort Load(ushort* cell)
    {
        return Volatile.Read(ref *cell);
    }

    /// <inheritdoc cref="Load(ulong*)"/>
    [MethodImpl(Inline)]
    public static byte Load(byte* cell)
    {
        return Volatile.Read(ref *cell);
    }

    /// <summary>Release store.</summary>
    [MethodImpl(Inline)]
    public static void Store(ulong* cell, ulong value)
    {
        Volatile.Write(ref *cell, value);
    }

    /// <inheritdoc cref="Store(ulong*,ulong)"/>
    [MethodImpl(Inline)]
    public static void Store(uint* cell, uint value)
    {
        Volatile.Write(ref *cell, value);
    }

    /// <inheritdoc cref="Store(ulong*,ulong)"/>
    [MethodImpl(Inline)]
    public static void Store(ushort* cell, ushort value)
    {
        Volatile.Write(ref *cell, value);
    }

    /// <inheritdoc cref="Store(ulong*,ulong)"/>
    [MethodImpl(Inline)]
    public static void Store(byte* cell, byte value)
    {
        Volatile.Write(ref *cell, value);
    }

    /// <summary>Acquire load of a reference.</summary>
    [MethodImpl(Inline)]
    public static T Load<T>(ref readonly T cell) where T : class?
    {
        return Volatile.Read(in cell);
    }

    /// <summary>Release store of a reference.</summary>
    [MethodImpl(Inline)]
    public static void Store<T>(ref T cell, T value) where T : class?
    {
        Volatile.Write(ref cell, value);
    }

    /// <summary>Locked compare and exchange; returns what was there.</summary>
    [MethodImpl(Inline)]
    public static ulong CompareExchange(ulong* cell, ulong value, ulong expected)
    {
        return Interlocked.CompareExchange(ref *cell, value, expected);
    }

    /// <inheritdoc cref="CompareExchange(ulong*,ulong,ulong)"/>
    [MethodImpl(Inline)]
    public static uint CompareExchange(uint* cell, uint value, uint expected)
    {
        return Interlocked.CompareExchange(ref *cell, value, expected);
    }

    /// <summary>Locked compare and exchange of a reference; returns what was there.</summary>
    [MethodImpl(Inline)]
    public static T CompareExchange<T>(ref T cell, T value, T expected) where T : class?
    {
        return Interlocked.CompareExchange(ref cell, value, expected);
    }

    /// <summary>Locked compare and exchange of a field of an object; returns what was there.</summary>
    [MethodImpl(Inline)]
    public static uint CompareExchange(ref uint cell, uint value, uint expected)
    {
        return Interlocked.CompareExchange(ref cell, value, expected);
    }

    /// <summary>Acquire load of a field of an object.</summary>
    [MethodImpl(Inline)]
    public static ulong Load(ref readonly ulong cell)
    {
        return Volatile.Read(in cell);
    }

    /// <summary>Release store to a field of an object.</summary>
    [MethodImpl(Inline)]
    public static void Store(ref ulong cell, ulong value)
    {
        Volatile.Write(ref cell, value);
    }

    /// <summary>Acquire load of a field of an object.</summary>
    [MethodImpl(Inline)]
    public static uint Load(ref readonly uint cell)
    {
        return Volatile.Read(in cell);
    }

    /// <summary>Locked exchange; returns what was there.</summary>
    [MethodImpl(Inline)]
    public static ulong Exchange(ulong* cell, ulong value)
    {
        return Interlocked.Exchange(ref *cell, value);
    }

    /// <inheritdoc cref="Exchange(ulong*,ulong)"/>
    [MethodImpl(Inline)]
    public static uint Exchange(uint* cell, uint value)
    {
        return Interlocked.Exchange(ref *cell, value);
    }

    /// <summary>Locked or; returns what was there.</summary>
    [MethodImpl(Inline)]
    public static ulong Or(ulong* cell, ulong bits)
    {
        return Interlocked.Or(ref *cell, bits);
    }

    /// <inheritdoc cref="Or(ulong*,ulong)"/>
    [MethodImpl(Inline)]
    public static uint Or(uint* cell, uint bits)
    {
        return Interlocked.Or(ref *cell, bits);
    }

    /// <summary>Locked and; returns what was there.</summary>
    [MethodImpl(Inline)]
    public static ulong And(ulong* cell, ulong bits)
    {
        return Interlocked.And(ref *cell, bits);
    }

    /// <inheritdoc cref="And(ulong*,ulong)"/>
    [MethodImpl(Inline)]
    public static uint And(uint* cell, uint bits)
    {
        return Interlocked.And(ref *cell, bits);
    }

    /// <summary>Locked add; returns the new value.</summary>
    [MethodImpl(Inline)]
    public static ulong Add(ulong* cell, ulong addend)
    {
        return Interlocked.Add(ref *cell, addend);
    }

    /// <inheritdoc cref="Add(ulong*,ulong)"/>
    [MethodImpl(Inline)]
    public static uint Add(uint* cell, uint addend)
    {
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
        Interlocked.MemoryBarrier();
    }

    /// <summary>Store fence: orders streaming stores, which a release does not.</summary>
    [MethodImpl(Inline)]
    public static void StoreFence()
    {
        if (Sse.IsSupported) Sse.StoreFence();
        else Interlocked.MemoryBarrier();
    }
}
