using System;
using Pagoda.Core;

namespace Pagoda.GuestAccess;

/// <summary>
/// Held guest bytes that lie together in the direct map. Valid until released, whatever the guest does.
/// </summary>
[AllocationFree]
public readonly unsafe struct GuestSpan
{
    /// <summary>The first byte.</summary>
    public readonly byte* Pointer;

    /// <summary>Bytes; they may cross pages whose frames follow one another.</summary>
    public readonly ulong Length;

    /// <summary>What it was held for: with Write its pages are marked written again at the release.</summary>
    public readonly Prot Access;

    internal GuestSpan(byte* pointer, ulong length, Prot access)
    {
        Pointer = pointer;
        Length = length;
        Access = access;
    }

    /// <summary>The bytes. At most 2 GiB.</summary>
    public Span<byte> Bytes => new(Pointer, checked((int)Length));
}
