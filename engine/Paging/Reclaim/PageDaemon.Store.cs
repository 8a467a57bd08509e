using System;
using System.Numerics;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Diagnostics;
using Pagoda.Pagers;
using Pagoda.Physical;

namespace Pagoda.Reclaim;

/// <summary>Storing dirty pages: one call of the pager for all pages of one object. Outside every slot.</summary>
public sealed unsafe partial class PageDaemon
{
    private void Store(int number)
    {
        EvictionLanes* lanes = BatchAt(number);
        if ((lanes->All & ~lanes->Spared) == 0) return;
        CounterTable counters = _owners[number]!.Counters;
        int first = 0;
        while (first < lanes->Count)
        {
            uint id = lanes->Object[first];
            int end = first + 1;
            while (end < lanes->Count && lanes->Object[end] == id) end++;
            VmObject? memory = _objects.Find(id);
            Invariant.Require(memory is not null);
            if (memory.IsZeroFill) FindZeros(lanes, first, end, counters);
            else StoreObject(lanes, memory, first, end, counters);
            first = end;
        }
    }

    /// <summary>Nobody stores these pages: those that are zero need nobody, the others stay.</summary>
    private void FindZeros(EvictionLanes* lanes, int first, int end, CounterTable counters)
    {
        ulong zeros = 0;
        for (int lane = first; lane < end; lane++)
        {
            ulong bit = 1UL << lane;
            if ((lanes->Spared & bit) != 0) continue;
            bool isDirty = (lanes->Dirty & bit) != 0;
            if (!isDirty || PageZeroing.IsZero(_arena.DirectMap((ulong)lanes->Frame[lane] << Paging.PageShift)))
            {
                lanes->Zero |= bit;
                zeros += isDirty ? 1UL : 0;
                continue;
            }
            lanes->Spared |= bit;
        }
        if (zeros != 0) counters.AddShared(Counter.ZeroPagesElided, zeros);
    }

    private void StoreObject(EvictionLanes* lanes, VmObject memory, int first, int end, CounterTable counters)
    {
        int* order = stackalloc int[EvictionLanes.Max];
        ulong* pages = stackalloc ulong[EvictionLanes.Max];
        uint* frames = stackalloc uint[EvictionLanes.Max];
        PagerStatus* status = stackalloc PagerStatus[EvictionLanes.Max];
        int count = 0;
        for (int lane = first; lane < end; lane++)
        {
            if (((lanes->Dirty & ~lanes->Spared) >> lane & 1) == 0) continue;
            order[count] = lane;
            pages[count] = lanes->Page[lane];
            frames[count++] = lanes->Frame[lane];
        }
        if (count == 0) return;
        memory.Pager.Write(new PagerBatch(_arena.Base, new ReadOnlySpan<ulong>(pages, count),
            new ReadOnlySpan<uint>(frames, count), new Span<PagerStatus>(status, count)));
        ulong stored = 0;
        ulong zeros = 0;
        for (int i = 0; i < count; i++)
        {
            ulong bit = 1UL << order[i];
            switch (status[i])
            {
                case PagerStatus.Ok:
                    stored++;
                    break;
                case PagerStatus.Zero:
                    zeros++;
                    lanes->Zero |= bit;
                    break;
                default:
                    lanes->Spared |= bit;
                    lanes->Trouble = status[i] == PagerStatus.Full ? ReclaimEnd.SwapFull : ReclaimEnd.WriteError;
                    break;
            }
        }
        if (stored != 0)
        {
            counters.AddShared(Counter.SwapOuts, stored);
            counters.AddShared(Counter.SwapWriteBytes, stored << Paging.PageShift);
        }
        if (zeros != 0) counters.AddShared(Counter.ZeroPagesElided, zeros);
    }
}
