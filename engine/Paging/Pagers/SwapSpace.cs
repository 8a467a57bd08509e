using System;
using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.Pagers;

/// <summary>
/// A swap store and its bookkeeping, shared by the pagers of many objects: free slots, checksums, counts.
/// </summary>
/// <remarks>Any thread. The store is the caller's and outlives the space.</remarks>
[AllocationFree]
public sealed unsafe class SwapSpace : IDisposable
{
    private const int CellBytes = 128;

    private readonly NativeRegion _checksums;
    private readonly NativeRegion _counts;
    private readonly ulong* _checksumOf;
    private readonly byte* _countCells;

    /// <summary>Takes a store into use. Slots of it are free.</summary>
    /// <exception cref="InsufficientMemoryException">The system refused the memory.</exception>
    public SwapSpace(ISwapStore store)
    {
        ArgumentNullException.ThrowIfNull(store);
        Store = store;
        Slots = new SwapSlots(store.Slots + 1);
        _checksums = NativeRegion.Map(((nuint)store.Slots + 1) * sizeof(ulong));
        _counts = NativeRegion.Map((nuint)Paging.PageBytes);
        _checksumOf = (ulong*)_checksums.Base;
        _countCells = _counts.Base;
    }

    /// <summary>Where the slots lie.</summary>
    public ISwapStore Store { get; }

    /// <summary>Which slots are taken.</summary>
    public SwapSlots Slots { get; }

    /// <summary>Bytes read from the store.</summary>
    public ulong ReadBytes => Shared.Load(Count(0));

    /// <summary>Bytes written to the store.</summary>
    public ulong WriteBytes => Shared.Load(Count(1));

    /// <summary>Pages that were all zero, so that they took no slot and no I/O.</summary>
    public ulong ZeroPagesElided => Shared.Load(Count(2));

    /// <summary>Pages whose checksum was wrong when they were read.</summary>
    public ulong ChecksumErrors => Shared.Load(Count(3));

    /// <summary>Unmaps the bookkeeping. No pager uses it any more.</summary>
    public void Dispose()
    {
        Slots.Dispose();
        _checksums.Dispose();
        _counts.Dispose();
    }

    internal void Seal(uint slot, byte* page) => *Checksum(slot) = PageChecksum.Compute(page, SeedOf(slot));

    internal bool Verifies(uint slot, byte* page) => *Checksum(slot) == PageChecksum.Compute(page, SeedOf(slot));

    internal void AddRead(ulong bytes) => Shared.Add(Count(0), bytes);

    internal void AddWritten(ulong bytes) => Shared.Add(Count(1), bytes);

    internal void AddElided(ulong pages) => Shared.Add(Count(2), pages);

    internal void AddChecksumError() => Shared.Increment(Count(3));

    // A slot's content verifies in its slot and in this use of the store alone.
    private ulong SeedOf(uint slot) => Store.Nonce + slot;

    private ulong* Checksum(uint slot)
    {
        Invariant.Assert(slot != 0 && slot <= Store.Slots);
        return _checksumOf + slot;
    }

    private ulong* Count(int index) => (ulong*)(_countCells + index * CellBytes);
}
