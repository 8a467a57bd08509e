using System;
using System.Numerics;
using System.Runtime.CompilerServices;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Diagnostics;
using Pagoda.Pagers;
using Pagoda.Physical;

namespace Pagoda.Faults;

/// <summary>Stage 4: frames for claimed pages, and their content. In no slot, under no lock.</summary>
internal unsafe ref partial struct FaultRun
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Supply()
    {
        for (ulong rest = _claimed & ~_zeros; rest != 0;)
        {
            uint id = _lanes->Object[BitOperations.TrailingZeroCount(rest)];
            ulong same = 0;
            for (ulong set = rest; set != 0; set &= set - 1)
            {
                int lane = BitOperations.TrailingZeroCount(set);
                if (_lanes->Object[lane] == id) same |= 1UL << lane;
            }
            rest &= ~same;
            SupplyFrom(ObjectOf(BitOperations.TrailingZeroCount(same)), same);
        }
    }

    /// <summary>Reads all claimed pages of one object by one call of its pager.</summary>
    private void SupplyFrom(VmObject memory, ulong set)
    {
        byte* order = stackalloc byte[FaultLanes.Max];
        ulong* pages = stackalloc ulong[FaultLanes.Max + FaultLanes.AheadMax];
        uint* frames = stackalloc uint[FaultLanes.Max + FaultLanes.AheadMax];
        PagerStatus* status = stackalloc PagerStatus[FaultLanes.Max + FaultLanes.AheadMax];
        int count = 0;
        for (; set != 0; set &= set - 1)
        {
            int lane = BitOperations.TrailingZeroCount(set);
            if (!TryTakeFrame(lane, memory, out uint pfn))
            {
                Unclaim(lane);
                Starve(lane);
                continue;
            }
            // Not zero any more as soon as the pager has it, so it leaves the states of zeroed frames first.
            _space.Arena.Frames.ToPage(pfn, memory.Id, (uint)_lanes->Page[lane]);
            _lanes->Frame[lane] = pfn;
            Insert(order, pages, frames, count++, lane);
        }
        if (count == 0) return;
        int aheads = _aheads;
        int all = count;
        AddAheads(memory, order[count - 1], pages, frames, ref all);

        memory.Pager.Read(new PagerBatch(_space.Arena.Base, new ReadOnlySpan<ulong>(pages, all),
            new ReadOnlySpan<uint>(frames, all), new Span<PagerStatus>(status, all)));
        TakeAheads(status + count, aheads);
        ulong swapIns = 0;
        ulong readBytes = 0;
        for (int i = 0; i < count; i++)
        {
            if (status[i] == PagerStatus.Error)
            {
                Poison(memory, order[i]);
                continue;
            }
            if (PageWord.BeforeOf(Shared.Load((ulong*)_lanes->Word[order[i]])) != PageState.Swapped) continue;
            swapIns++;
            if (status[i] != PagerStatus.Ok) continue;
            readBytes += Paging.PageBytes;
            if (memory.Pager is SwapPager { IsNearlyFull: true }) GiveSlotUp(memory, order[i]);
        }
        _consumer.Counters.Add(Counter.PagerReads, (ulong)count);
        _consumer.Counters.AddIfAny(Counter.SwapIns, swapIns);
        _consumer.Counters.AddIfAny(Counter.SwapReadBytes, readBytes);
    }

    /// <summary>
    /// A page that was read keeps its slot, so that it can go again without a write; but not while others find none.
    /// </summary>
    private readonly void GiveSlotUp(VmObject memory, int lane)
    {
        // The frame alone has the content from here on.
        _space.Arena.Frames.RestoreDirty(_lanes->Frame[lane]);
        memory.Pager.Discard(new ReadOnlySpan<ulong>(in _lanes->Page[lane]));
    }

    /// <summary>Keeps the columns for the pager in ascending order of pages: aliases may come in any.</summary>
    private readonly void Insert(byte* order, ulong* pages, uint* frames, int count, int lane)
    {
        ulong page = _lanes->Page[lane];
        int at = count;
        for (; at > 0 && pages[at - 1] > page; at--)
        {
            order[at] = order[at - 1];
            pages[at] = pages[at - 1];
            frames[at] = frames[at - 1];
        }
        order[at] = (byte)lane;
        pages[at] = page;
        frames[at] = _lanes->Frame[lane];
    }

    /// <summary>Puts a claimed page back into the state that it was claimed from.</summary>
    private void Unclaim(int lane)
    {
        ulong* word = (ulong*)_lanes->Word[lane];
        PageWord.Publish(word, PageWord.Unclaimed(Shared.Load(word)));
        _claimed &= ~(1UL << lane);
    }

    /// <summary>The page is lost: its lane gets the error, later ones Poisoned.</summary>
    private void Poison(VmObject memory, int lane)
    {
        ulong* word = (ulong*)_lanes->Word[lane];
        PageWord.Publish(word, PageWord.Of(PageState.Poisoned, (ulong)PoisonReason.PagerRead));
        _claimed &= ~(1UL << lane);
        _consumer.Frames.Give(_lanes->Frame[lane]);
        End(lane, FaultStatus.PagerError);
        _consumer.Counters.Add(Counter.PoisonedPages, 1);
        _space.Neighbours.Relief?.PageLost(memory, _lanes->Page[lane]);
    }

    /// <summary>
    /// Gives up every claim: somebody whom the run called has thrown, or the guest is gone. In no slot.
    /// </summary>
    public void GiveUp()
    {
        DropAheads();
        Abandon();
    }

    /// <summary>Puts every claimed page back and gives its frame back.</summary>
    private void Abandon()
    {
        FrameTable table = _space.Arena.Frames;
        for (ulong set = _claimed; set != 0; set &= set - 1)
        {
            int lane = BitOperations.TrailingZeroCount(set);
            uint pfn = _lanes->Frame[lane];
            if (pfn != 0 && table.IsDirty(pfn))
            {
                KeepFrame(lane, pfn);
                continue;
            }
            Unclaim(lane);
            if (pfn != 0) _consumer.Frames.Give(pfn);
        }
    }

    /// <summary>
    /// What is in the frame is nowhere else, since the page gave its slot up: it stays there, and is found by the next
    /// fault. Others may show the page.
    /// </summary>
    private void KeepFrame(int lane, uint pfn)
    {
        ulong* word = (ulong*)_lanes->Word[lane];
        if ((Shared.Load(word) & PageWord.Written) != 0) _space.Arena.Frames.SetWritten(pfn);
        PageWord.Publish(word, PageWord.Resident((ulong)pfn << Paging.PageShift));
        _claimed &= ~(1UL << lane);
    }
}
