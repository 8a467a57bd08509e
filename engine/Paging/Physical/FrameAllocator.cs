using System;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using Pagoda.Core;

namespace Pagoda.Physical;

/// <summary>The buddy allocator of an arena: runs of 2^order frames, aligned to their length, orders 0 to 18.</summary>
/// <remarks>
/// <para>
/// Two facts about a free block ride along with it. <i>Fresh</i>: no byte of it is committed. <i>Known zero</i>: every
/// byte of it is 0, because the kernel committed it, or will, and nobody has used it since; such a frame is not zeroed
/// again. Blocks merge whatever they are (the result is fresh, or known zero, only if both halves were), so a run can
/// be taken if and only if it is free. But there are two lists an order: fresh blocks are touched last, and a split
/// keeps the half with committed memory, so that committed frames are recycled before the system is asked for more.
/// </para>
/// <para>
/// Memory is committed in chunks of 2 MiB, without the lock: the chunk is out of the lists meanwhile, and a taker that
/// finds nothing waits for it rather than report an exhaustion that is not there. The chunk of frame 0 and an
/// incomplete last chunk are committed at set-up; their blocks are never fresh, and never given back.
/// </para>
/// <para>
/// The free lists are doubly linked through the records of the blocks' first frames (Owner: next, Index: previous); a
/// first frame is known by its order field. Only the lock's holder writes an order field, so reading a neighbour's
/// word, which its owner may be changing, can mistake nothing for a free block.
/// </para>
/// </remarks>
[AllocationFree]
public sealed unsafe partial class FrameAllocator : IDisposable
{
    /// <summary>The largest order: 1 GiB.</summary>
    public const int OrderMax = 18;

    /// <summary>The most frames of one batch.</summary>
    public const int BatchMax = 64;

    private const int OrderCount = OrderMax + 1;
    private const int ChunkOrder = Core.Paging.WindowOrder;
    private const uint NoLimit = uint.MaxValue;

    private readonly FrameTable _frames;
    private readonly FrameRecord* _records;
    private readonly ArenaMapping _mapping;
    private readonly NativeRegion _stateRegion;
    private readonly ChunkBitmap _committed;
    private readonly State* _state;
    private readonly SpinCell _lock;

    /// <summary>Everything that the lock guards, apart from the records: two lines, then the heads.</summary>
    [StructLayout(LayoutKind.Explicit)]
    private struct State
    {
        [FieldOffset(0)] public uint Lock;
        [FieldOffset(8)] public ulong FreeFrames;       // Written under the lock, read by anyone.
        [FieldOffset(16)] public uint TestLimit;
        [FieldOffset(20)] public uint InFlight;         // Blocks being committed or given back to the system.
        [FieldOffset(24)] public uint RecycledOrders;   // Bit k: the list of order k is not empty.
        [FieldOffset(28)] public uint FreshOrders;
        [FieldOffset(64)] public fixed uint Recycled[OrderCount];
        [FieldOffset(192)] public fixed uint Fresh[OrderCount];
    }

    /// <summary>Links every frame but frame 0 as free.</summary>
    /// <param name="frames">The records.</param>
    /// <param name="mapping">The memory.</param>
    /// <param name="prefaulted">Everything is committed already.</param>
    /// <exception cref="ArenaException">The system has not even the memory of the first and last chunk.</exception>
    internal FrameAllocator(FrameTable frames, ArenaMapping mapping, bool prefaulted)
    {
        _frames = frames;
        _records = frames.Records;
        _mapping = mapping;
        _stateRegion = NativeRegion.Map((nuint)sizeof(State));
        _state = (State*)_stateRegion.Base;
        _state->TestLimit = NoLimit;
        _lock = new SpinCell(&_state->Lock);
        _committed = new ChunkBitmap(frames.FrameCount);
        if (prefaulted || !mapping.CommitsLate) _committed.SetAll();
        else CommitEdges();
        LinkAll();
    }

    /// <summary>Frames that can be taken, committed or not.</summary>
    public ulong FreeFrames => Shared.Load(&_state->FreeFrames);

    /// <summary>Bytes of memory that the arena has from the system, at this moment.</summary>
    public ulong CommittedBytes =>
        ulong.Min((ulong)_committed.Count() << Core.Paging.WindowShift, _mapping.Bytes);

    /// <summary>
    /// For tests of exhaustion: as if only so many frames were left to take, now and until it is set again; negative
    /// for no limit. A take of more than is left fails and takes nothing. Frames that caches and the zeroed pool
    /// already have are not counted.
    /// </summary>
    public int TestHookFailAfter
    {
        get => (int)Shared.Load(&_state->TestLimit);
        set => Shared.Store(&_state->TestLimit, value < 0 ? NoLimit : (uint)value);
    }

    /// <summary>Unmaps the allocator's own memory.</summary>
    public void Dispose()
    {
        _committed.Dispose();
        _stateRegion.Dispose();
    }

    private void CommitEdges()
    {
        int last = _committed.ChunkCount - 1;
        CommitEdge(0);
        if (last != 0 && _mapping.Bytes % Core.Paging.WindowBytes != 0) CommitEdge(last);
    }

    private void CommitEdge(int chunk)
    {
        if (!TryCommitChunks(chunk, 1)) ThrowNoMemory();
    }

    private void LinkAll()
    {
        uint count = _frames.FrameCount;
        uint zero = _mapping.CommitsZeros ? FrameRecord.KnownZero : 0;
        uint pfn = 1;
        while (pfn < count)
        {
            int order = int.Min(OrderMax,
                int.Min(BitOperations.TrailingZeroCount(pfn), BitOperations.Log2(count - pfn)));
            Link(pfn, order, zero | FreshFlag(pfn, order));
            pfn += 1U << order;
        }
        Shared.Store(&_state->FreeFrames, count - 1);
    }

    [DoesNotReturn]
    private void ThrowNoMemory() => throw new ArenaException(nameof(ArenaOptions.Bytes), Linux.Errno.ENOMEM,
        "ArenaOptions.Bytes: the system has no memory for even the first chunk of an arena of "
        + _mapping.Bytes.ToString(CultureInfo.InvariantCulture)
        + " bytes. Free host memory, or raise the process's or container's limit.");
}
