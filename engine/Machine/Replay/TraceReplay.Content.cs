using System.Numerics;
using System.Runtime.CompilerServices;
using Pagoda.Core;

namespace Pagoda.Machine.Replay;

/// <summary>The bytes: what stores write follows from the seed, and what is read goes into a checksum.</summary>
public sealed unsafe partial class TraceReplay
{
    private const ulong ValueMultiplier = 6364136223846793005;
    private const ulong ValueIncrement = 1442695040888963407;
    private const ulong ChecksumMultiplier = 0x9E37_79B9_7F4A_7C15;
    private const int ChecksumRotation = 5;
    private const int BitsPerByte = 8;
    private const uint WordBytes = sizeof(ulong);

    private ulong _storeValue;
    private ulong _checksum;

    /// <summary>Reads or writes the bytes of an access inside a page; false when what is read is wrong.</summary>
    [AllocationFree]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Use(TraceKind kind, ulong address, byte* host, uint size)
    {
        if (_shadow != null) return UseAndVerify(kind, address, host, size);
        if (kind != TraceKind.Store) Read(host, size);
        if (kind >= TraceKind.Store) Write(host, size);
        return true;
    }

    [AllocationFree]
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool UseAndVerify(TraceKind kind, ulong address, byte* host, uint size)
    {
        bool found = _pages.TryFold(address >> Paging.PageShift, out uint number);
        Invariant.Assert(found);
        byte* shadow = _shadow + ((ulong)number << Paging.PageShift) + (address & Paging.PageOffsetMask);
        if (kind != TraceKind.Store)
        {
            for (uint i = 0; i < size; i++)
            {
                if (host[i] == shadow[i]) continue;
                _end = ReplayEnd.ContentWrong;
                return false;
            }
            Read(host, size);
        }
        if (kind < TraceKind.Store) return true;
        Write(host, size);
        Unsafe.CopyBlockUnaligned(shadow, host, size);
        return true;
    }

    [AllocationFree]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Read(byte* host, uint size)
    {
        if (size > WordBytes)
        {
            ReadMany(host, size);
            return;
        }
        // A whole word where the page has one: shifting the rest out costs less than a loop.
        ulong word = ((ulong)host & Paging.PageOffsetMask) <= Paging.PageBytes - WordBytes
            ? *(ulong*)host << (int)((WordBytes - size) * BitsPerByte)
            : ReadAtPageEnd(host, size);
        Fold(word);
    }

    [AllocationFree]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Fold(ulong word) =>
        _checksum = (BitOperations.RotateLeft(_checksum, ChecksumRotation) ^ word) * ChecksumMultiplier;

    [AllocationFree]
    private static ulong ReadAtPageEnd(byte* host, uint size)
    {
        ulong word = 0;
        for (uint i = 0; i < size; i++) word |= (ulong)host[i] << (int)((WordBytes - size + i) * BitsPerByte);
        return word;
    }

    [AllocationFree]
    private void ReadMany(byte* host, uint size)
    {
        for (; size > WordBytes; size -= WordBytes, host += WordBytes) Fold(*(ulong*)host);
        Read(host, size);
    }

    [AllocationFree]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Write(byte* host, uint size)
    {
        _storeValue = _storeValue * ValueMultiplier + ValueIncrement;
        ulong value = _storeValue ^ (_storeValue >> 32);
        switch (size)
        {
            case 8: *(ulong*)host = value; break;
            case 4: *(uint*)host = (uint)value; break;
            case 1: *host = (byte)value; break;
            default: WriteMany(host, size, value); break;
        }
    }

    [AllocationFree]
    private static void WriteMany(byte* host, uint size, ulong value)
    {
        for (; size >= WordBytes; size -= WordBytes, host += WordBytes, value *= ChecksumMultiplier)
        {
            *(ulong*)host = value;
        }
        for (; size > 0; size--, host++, value >>= BitsPerByte) *host = (byte)value;
    }
}
