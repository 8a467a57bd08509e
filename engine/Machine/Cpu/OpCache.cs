using System;
using System.Runtime.InteropServices;
using Pagoda.Core;

namespace Pagoda.Machine.Cpu;

/// <summary>
/// Decoded blocks of one vCPU in native memory, found by frame, offset and CPU mode. Memory is taken from the front and
/// given back all at once.
/// </summary>
/// <remarks>
/// A branch to the same page links straight to the block: the frame is the same as long as control came this way. A
/// branch to another page links to a stub that also moves the instruction pointer's base; stubs and the cache of
/// indirect destinations depend on the guest's mappings and are dropped with the TLB.
/// <code>
///   arena:  64 bytes of zeros | stubs | blocks ...
///   block:  header | micro-ops | page offset of each instruction
/// </code>
/// </remarks>
[AllocationFree]
internal sealed unsafe class OpCache : IDisposable
{
    /// <summary>Applied to an address, gives its slot in the cache of indirect destinations.</summary>
    public const ulong JumpMask = JumpSlots - 1;

    private const int JumpSlots = 4096;
    private const int JumpSlotBytes = 16;
    private const int RecordedMax = 256;
    private const int HashBits = 14;
    private const int StubsMax = 4096;
    private const int StubBytes = Block.HeaderBytes + MicroOp.SizeBytes;
    private const uint StubsAt = 64;
    private const uint BlocksAt = StubsAt + StubsMax * StubBytes;
    private const ulong NoAddress = ulong.MaxValue;

    private readonly uint* _hash;
    private readonly ushort* _recorded;     // slots of indirect destinations filled since they were dropped
    private int _recordedCount = RecordedMax;
    private readonly uint _bytes;
    private uint _used;
    private int _stubs;

    /// <summary>A cache of the given size; memory is touched as it fills.</summary>
    /// <param name="bytes">Between 1 MiB and 1 GiB.</param>
    public OpCache(uint bytes)
    {
        Invariant.Require(bytes >= 1U << 20);
        Invariant.Require(bytes <= 1U << 30);
        _bytes = bytes;
        Arena = (byte*)NativeMemory.AlignedAlloc(bytes, (nuint)Paging.PageBytes);
        Jumps = (byte*)NativeMemory.AlignedAlloc(JumpSlots * JumpSlotBytes, (nuint)Paging.PageBytes);
        _hash = (uint*)NativeMemory.AlignedAlloc(sizeof(uint) << HashBits, (nuint)Paging.PageBytes);
        _recorded = (ushort*)NativeMemory.Alloc(RecordedMax, sizeof(ushort));
        NativeMemory.Clear(Arena, BlocksAt);
        Reset();
    }

    /// <summary>Base of the offsets in links.</summary>
    public byte* Arena { get; }

    /// <summary>Slots of an address and a block, indexed by the address's low bits.</summary>
    public byte* Jumps { get; }

    /// <summary>How often everything was dropped because memory ran out.</summary>
    public ulong Resets { get; private set; }

    /// <summary>Drops every block.</summary>
    public void Reset()
    {
        Resets++;
        NativeMemory.Clear(_hash, sizeof(uint) << HashBits);
        _used = BlocksAt;
        _stubs = 0;
        DropDestinations();
    }

    /// <summary>Drops what depends on the guest's mappings: indirect destinations and links to other pages.</summary>
    public void DropMappings()
    {
        for (int i = 0; i < _stubs; i++) *LinkOf(Stub(i)) = 0;
        _stubs = 0;
        DropDestinations();
    }

    /// <summary>Room for a block of so many micro-ops and instructions; everything is dropped if there is
    /// none.</summary>
    public Block* Begin(int ops, int instructions)
    {
        uint need = (uint)(Block.HeaderBytes + ops * MicroOp.SizeBytes + (instructions + 1) * sizeof(ushort));
        if (_used + need > _bytes) Reset();
        return (Block*)(Arena + _used);
    }

    /// <summary>Keeps the block that was begun, behind which its offsets end.</summary>
    public void Commit(Block* block, ushort* end)
    {
        uint at = OffsetOf(block);
        Invariant.Assert(at == _used);
        uint slot = Slot(block->Pfn, block->PageOffset, block->ModeKey);
        block->Next = _hash[slot];
        _hash[slot] = at;
        _used = ((uint)((byte*)end - Arena) + 63) & ~63U;
    }

    /// <summary>The first block of a hash chain; follow <see cref="Block.Next"/>.</summary>
    public Block* First(uint pfn, ushort offset, uint modeKey) => At(_hash[Slot(pfn, offset, modeKey)]);

    /// <summary>Takes a stale block out of its chain. Its memory stays as it is until the next reset.</summary>
    public void Remove(Block* block)
    {
        uint at = OffsetOf(block);
        uint* link = _hash + Slot(block->Pfn, block->PageOffset, block->ModeKey);
        while (*link != 0 && *link != at) link = &At(*link)->Next;
        if (*link == at) *link = block->Next;
    }

    /// <summary>The block at an offset; null for 0.</summary>
    public Block* At(uint offset) => offset == 0 ? null : (Block*)(Arena + offset);

    /// <summary>A block's offset, as links hold it.</summary>
    public uint OffsetOf(Block* block) => (uint)((byte*)block - Arena);

    /// <summary>Links a branch to a block of its own page.</summary>
    public void LinkHere(MicroOp* branch, Block* destination) => branch->Link = OffsetOf(destination);

    /// <summary>Links a branch to a block of another page, through a stub that moves the base by so much.</summary>
    public void LinkAway(MicroOp* branch, Block* destination, int baseDelta)
    {
        if (_stubs == StubsMax) return;
        Block* stub = Stub(_stubs++);
        stub->VersionCell = (uint*)Arena;
        stub->Version = 0;
        stub->Offsets = (ushort*)&branch->Link;
        MicroOp* jump = Block.Ops(stub);
        *jump = default;
        jump->Code = OpCode.JumpPage;
        jump->Disp = baseDelta;
        jump->Target = destination->PageOffset;
        jump->Link = OffsetOf(destination);
        branch->Link = OffsetOf(stub);
    }

    /// <summary>Remembers where an indirect branch to an address goes.</summary>
    public void Remember(ulong address, Block* block)
    {
        byte* slot = Jumps + ((address & JumpMask) * JumpSlotBytes);
        if (_recordedCount < RecordedMax) _recorded[_recordedCount++] = (ushort)(address & JumpMask);
        *(ulong*)slot = address;
        *(Block**)(slot + sizeof(ulong)) = block;
    }

    /// <summary>Frees the memory.</summary>
    public void Dispose()
    {
        NativeMemory.AlignedFree(Arena);
        NativeMemory.AlignedFree(Jumps);
        NativeMemory.AlignedFree(_hash);
        NativeMemory.Free(_recorded);
    }

    private static uint Slot(uint pfn, ushort offset, uint modeKey)
    {
        uint mixed = (pfn * 0x9E37_79B1) ^ (offset * 0x85EB_CA6BU) ^ (modeKey * 0xC2B2_AE35U);
        return mixed >> (32 - HashBits);
    }

    private static uint* LinkOf(Block* stub) => (uint*)stub->Offsets;

    private Block* Stub(int index) => (Block*)(Arena + StubsAt + index * StubBytes);

    private void DropDestinations()
    {
        // A shootdown waits for this: most of the time few slots were filled since the last one.
        if (_recordedCount < RecordedMax)
        {
            for (int i = 0; i < _recordedCount; i++) *(ulong*)(Jumps + _recorded[i] * JumpSlotBytes) = NoAddress;
        }
        else
        {
            for (int i = 0; i < JumpSlots; i++) *(ulong*)(Jumps + i * JumpSlotBytes) = NoAddress;
        }
        _recordedCount = 0;
    }
}
