using System;
using System.Runtime.InteropServices;
using Pagoda.Core;

namespace Pagoda.Pagers;

/// <summary>The first page of a swap file: whose it is, and whether its process ended in order.</summary>
/// <remarks>
/// <code>
///   offset  0 magic   8 version  12 state (1 in use, 2 closed)  16 slots, the header's included
///          24 boot id (16 bytes)  40 nonce  48 checksum of bytes 0 to 47   the rest zero
/// </code>
/// Content never outlives the process that wrote it: the header serves to tell a swap file from anything else, and one
/// in use, or left by a crash, from a closed one.
/// </remarks>
[StructLayout(LayoutKind.Explicit, Size = (int)Paging.PageBytes)]
internal unsafe struct SwapHeader
{
    internal const ulong MagicValue = 0x50415753444F4750;   // "PGODSWAP"
    internal const uint VersionValue = 1;
    internal const uint InUse = 1;
    internal const uint Closed = 2;
    private const int SealedBytes = 48;

    [FieldOffset(0)] internal ulong Magic;
    [FieldOffset(8)] internal uint Version;
    [FieldOffset(12)] internal uint State;
    [FieldOffset(16)] internal ulong Slots;
    [FieldOffset(24)] internal Guid BootId;
    [FieldOffset(40)] internal ulong Nonce;
    [FieldOffset(48)] internal ulong Seal;

    /// <summary>All bytes are zero: nothing was ever written here.</summary>
    internal static bool IsBlank(SwapHeader* header) =>
        new ReadOnlySpan<byte>(header, sizeof(SwapHeader)).IndexOfAnyExcept((byte)0) < 0;

    /// <summary>Writes the seal over the fields before it.</summary>
    internal static void Close(SwapHeader* header) => header->Seal = SealOf(header);

    /// <summary>A header of this version, whole.</summary>
    internal static bool IsValid(SwapHeader* header) =>
        header->Magic == MagicValue && header->Version == VersionValue && header->Seal == SealOf(header);

    private static ulong SealOf(SwapHeader* header)
    {
        // FNV-1a: 48 bytes, once at open and close.
        ulong hash = 0xCBF29CE484222325;
        byte* bytes = (byte*)header;
        for (int i = 0; i < SealedBytes; i++) hash = (hash ^ bytes[i]) * 0x100000001B3;
        return hash;
    }
}
