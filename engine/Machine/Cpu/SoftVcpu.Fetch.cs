using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Pagoda.Core;

namespace Pagoda.Machine.Cpu;

/// <summary>From an instruction pointer to a decoded block.</summary>
public sealed unsafe partial class SoftVcpu
{
    private const int FetchSlots = 64;
    private const int DecodeAttemptsMax = 16;
    private const int FetchesInVainMax = 8;

    private FetchPage* _fetches;
    private byte* _copy;
    private int _fetchesInVain;
    private bool _isAlone;          // until the slice ends: no other vCPU executes

    /// <summary>A translation for instruction fetches.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct FetchPage
    {
        public ulong Tag;
        public byte* Host;
        public uint Pfn;
    }

    private void AllocateFetch()
    {
        _fetches = (FetchPage*)NativeMemory.AllocZeroed(FetchSlots, (nuint)sizeof(FetchPage));
        _copy = (byte*)NativeMemory.AlignedAlloc(2 * (nuint)Paging.PageBytes, (nuint)Paging.PageBytes);
    }

    private void FreeFetch()
    {
        NativeMemory.Free(_fetches);
        NativeMemory.AlignedFree(_copy);
    }

    [AllocationFree]
    private void ForgetFetches()
    {
        for (int i = 0; i < FetchSlots; i++) _fetches[i].Tag = 0;
    }

    /// <summary>
    /// The block at RIP, decoding it if need be and delivering what its fetch raises.
    /// </summary>
    /// <returns>Null when Run must return; the exit says why.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private Block* Lookup()
    {
        for (; ; )
        {
            Block* block = Find();
            if (block != null) return block;
            if (!DeliverPending()) return null;
        }
    }

    /// <summary>The block that a direct branch goes to, linked to the branch for the next time.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private Block* Resolve(MicroOp* branch)
    {
        ulong oldBase = _state->RipBase;
        ulong resets = _cache.Resets;
        bool isStub = branch->Code == OpCode.JumpPage;
        _state->Rip = (oldBase + (ulong)branch->Target) & _state->InstructionMask;
        Block* block = Find();
        if (block == null) return DeliverPending() ? Lookup() : null;
        if (_cache.Resets != resets) return block;
        ulong delta = _state->RipBase - oldBase;
        // Sixteen-bit code may reach another page from the same place when CS has another base: those links go away
        // with it.
        bool isPage = delta == 0 && block->SecondPfn == 0 && (_state->ModeKey & ModeKeys.SizeMask) != ModeKeys.Size16;
        if (isStub || isPage) _cache.LinkHere(branch, block);
        else if ((ulong)(int)delta == delta) _cache.LinkAway(branch, block, (int)delta);
        return block;
    }

    /// <summary>The page offset of an instruction of the current block, as RIP.</summary>
    private ulong RipOf(int instruction) =>
        (_state->RipBase + _state->CurrentBlock->Offsets[instruction]) & _state->InstructionMask;

    /// <summary>Takes a block out of the cache: its second frame is not what it was.</summary>
    private void Forget(Block* block)
    {
        _cache.Remove(block);
        block->VersionCell = (uint*)_cache.Arena;
        block->Version = 1;                     // that cell holds 0: links to this block fail from now on
    }

    /// <summary>The block at RIP, or null with something pending.</summary>
    private Block* Find()
    {
        VcpuState* s = _state;
        ulong rip = s->Rip;
        ulong linear = (rip + s->SegmentBase[CodeSegment]) & s->AddressMask;
        if (!FitsCodeLimit(rip)) return null;
        if (!TryFetch(linear, out byte* host, out uint pfn)) return null;
        int offset = (int)(linear & Paging.PageOffsetMask);
        s->RipBase = rip - (ulong)offset;
        Block* block = _cache.First(pfn, (ushort)offset, s->ModeKey);
        while (block != null)
        {
            Block* next = _cache.At(block->Next);
            if (block->Pfn == pfn && block->PageOffset == offset && block->ModeKey == s->ModeKey)
            {
                if (*block->VersionCell != block->Version) _cache.Remove(block);
                else if (block->SecondPfn == 0 || IsSecondFrame(block, linear)) break;
            }
            block = next;
        }
        if (block == null) block = DecodeBlock(linear, host, pfn, offset);
        if (block != null) _cache.Remember(rip, block);
        return block;
    }

    private bool IsSecondFrame(Block* block, ulong linear)
    {
        ulong next = ((linear & PageMask) + Paging.PageBytes) & _state->AddressMask;
        if (!TryFetch(next, out _, out uint pfn)) return false;
        return pfn == block->SecondPfn && *block->SecondVersionCell == block->SecondVersion;
    }

    /// <summary>Translates for a fetch. False: something is pending.</summary>
    private bool TryFetch(ulong linear, out byte* host, out uint pfn)
    {
        FetchPage* slot = _fetches + ((linear >> Paging.PageShift) & (FetchSlots - 1));
        ulong tag = (linear & PageMask) | (IsUser ? 3UL : 1UL);
        if (slot->Tag == tag)
        {
            host = slot->Host;
            pfn = slot->Pfn;
            return true;
        }
        FillStatus status = _memory.Fill(_state, linear, Prot.Execute, IsUser, out _fill);
        _state->TlbFills++;
        host = _fill.HostPage;
        pfn = _fill.Pfn;
        if (status == FillStatus.Ok && pfn != 0)
        {
            slot->Tag = tag;
            slot->Host = host;
            slot->Pfn = pfn;
            return true;
        }
        if (status is FillStatus.Ok or FillStatus.Mmio or FillStatus.Device)
        {
            Unsupported("instruction fetch from device memory");
            RaiseExit(VcpuExit.Unsupported);
        }
        else
        {
            RaiseMemory(status, linear);
        }
        return false;
    }

    private Block* DecodeBlock(ulong linear, byte* host, uint pfn, int offset)
    {
        VcpuState* s = _state;
        if (!MayDecode()) return Again();
        ulong departures = _memory.Departures;
        for (int attempt = 0; attempt < DecodeAttemptsMax; attempt++)
        {
            // From a copy, so that both passes and the check below see the same bytes whatever other processors do.
            Buffer.MemoryCopy(host + offset, _copy + offset, (long)Paging.PageBytes, (long)Paging.PageBytes - offset);
            int limit = (s->ModeKey & ModeKeys.Single) != 0 ? 1 : BlockLimit;
            int count = _translator.Decode(_copy, (int)Paging.PageBytes, offset, s->ModeKey, limit);
            if (count == 0) return DecodeCrossing(linear, host, pfn, offset);
            uint version = Shared.Load(_memory.CodeVersion(pfn));
            if (CodeLines.IsChanging(version)) continue;
            Watch(pfn, host, _translator.Lines);
            if (_memory.Departures != departures) return Again();
            if (!SameBytes(host, version, pfn)) continue;
            Block* block = Begin(pfn, offset, version);
            Keep(block);
            return block;
        }
        return Changing();
    }

    /// <summary>A block of one instruction whose bytes lie in two frames; it is checked against both at every
    /// entry.</summary>
    private Block* DecodeCrossing(ulong linear, byte* host, uint pfn, int offset)
    {
        VcpuState* s = _state;
        ulong next = ((linear & PageMask) + Paging.PageBytes) & s->AddressMask;
        ulong departures = _memory.Departures;
        if (!TryFetch(next, out byte* secondHost, out uint secondPfn)) return null;
        if (_memory.Departures != departures || !MayDecode()) return Again();
        for (int attempt = 0; attempt < DecodeAttemptsMax; attempt++)
        {
            Buffer.MemoryCopy(host + offset, _copy + offset, (long)Paging.PageBytes, (long)Paging.PageBytes - offset);
            Buffer.MemoryCopy(secondHost, _copy + Paging.PageBytes, (long)Paging.PageBytes, InstructionBytesMax);
            int valid = (int)Paging.PageBytes + InstructionBytesMax;
            int count = _translator.Decode(_copy, valid, offset, s->ModeKey, 1);
            if (count == 0)
            {
                Unsupported("an instruction of more than 15 bytes");
                RaiseExit(VcpuExit.Unsupported);
                return null;
            }
            uint version = Shared.Load(_memory.CodeVersion(pfn));
            uint secondVersion = Shared.Load(_memory.CodeVersion(secondPfn));
            if (CodeLines.IsChanging(version | secondVersion)) continue;
            // One line at the end of the first frame, one at the start of the second.
            Watch(pfn, host, 1UL << 63);
            Watch(secondPfn, secondHost, 1);
            if (_memory.Departures != departures) return Again();
            bool isSame = SameBytes(host, version, pfn) && SameSecondBytes(secondHost, secondVersion, secondPfn);
            if (!isSame) continue;
            Block* block = Begin(pfn, offset, version);
            block->SecondPfn = secondPfn;
            block->SecondVersionCell = _memory.CodeVersion(secondPfn);
            block->SecondVersion = secondVersion;
            Keep(block);
            return block;
        }
        return Changing();
    }

    /// <summary>Writes the micro-ops of a block that was begun, and enters it.</summary>
    private void Keep(Block* block)
    {
        ushort* end = _translator.Emit(block);
        _cache.Commit(block, end);
        _fetchesInVain = 0;
        // What was decoded alone is executed alone, once.
        if (_isAlone) CutSlice();
    }

    /// <summary>
    /// Other vCPUs may store beside the code as fast as it is decoded, and may wait for what it would do. After some
    /// vain attempts they stop until the block was executed. False: start the fetch over.
    /// </summary>
    private bool MayDecode()
    {
        if (_fetchesInVain < FetchesInVainMax || _isAlone) return true;
        _isAlone = _memory.TryBeginExclusive();
        return _isAlone;
    }

    /// <summary>The slot was left, so host pointers are from before: start the fetch over.</summary>
    private Block* Again()
    {
        _fetchesInVain++;
        RaiseRestart();
        return null;
    }

    /// <summary>The bytes change as fast as they are decoded.</summary>
    private Block* Changing()
    {
        if (!_isAlone)
        {
            _fetchesInVain = FetchesInVainMax;
            return Again();
        }
        Unsupported("code that changes faster than it can be decoded");
        RaiseExit(VcpuExit.Unsupported);
        return null;
    }

    private Block* Begin(uint pfn, int offset, uint version)
    {
        Block* block = _cache.Begin(Translator.OpsMax, Translator.InstructionsMax);
        *block = default;
        block->VersionCell = _memory.CodeVersion(pfn);
        block->Version = version;
        block->Pfn = pfn;
        block->ModeKey = _state->ModeKey;
        block->PageOffset = (ushort)offset;
        _state->BlocksDecoded++;
        return block;
    }

    /// <summary>Declares lines decoded and takes the right to store unseen away.</summary>
    private void Watch(uint pfn, byte* host, ulong lines)
    {
        if (_memory.MarkCode(pfn, lines)) _tlb.DropStores(host);
    }

    /// <summary>Whether the frame still holds what was decoded, now that stores to it are seen.</summary>
    private bool SameBytes(byte* host, uint version, uint pfn)
    {
        int end = Math.Min(_translator.HighestEnd, (int)Paging.PageBytes);
        int start = _translator.LowestStart;
        var copied = new ReadOnlySpan<byte>(_copy + start, end - start);
        if (!copied.SequenceEqual(new ReadOnlySpan<byte>(host + start, end - start))) return false;
        return Shared.Load(_memory.CodeVersion(pfn)) == version;
    }

    /// <summary>The same for the second frame of a crossing instruction.</summary>
    private bool SameSecondBytes(byte* host, uint version, uint pfn)
    {
        int bytes = _translator.HighestEnd - (int)Paging.PageBytes;
        var copied = new ReadOnlySpan<byte>(_copy + Paging.PageBytes, bytes);
        if (!copied.SequenceEqual(new ReadOnlySpan<byte>(host, bytes))) return false;
        return Shared.Load(_memory.CodeVersion(pfn)) == version;
    }

    /// <summary>Up to 15 bytes at RIP for an error text.</summary>
    private int CodeBytes(out ulong low, out ulong high)
    {
        byte* bytes = stackalloc byte[16];
        int count = 0;
        ulong linear = (_state->Rip + _state->SegmentBase[CodeSegment]) & _state->AddressMask;
        if (_memory.Enter())
        {
            while (count < InstructionBytesMax && TryFetch(linear + (uint)count, out byte* host, out _))
            {
                bytes[count] = host[(linear + (uint)count) & Paging.PageOffsetMask];
                count++;
            }
            _memory.Exit();
        }
        low = *(ulong*)bytes;
        high = *(ulong*)(bytes + sizeof(ulong));
        return count;
    }
}
