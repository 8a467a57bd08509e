using Pagoda.Core;
using Pagoda.Linux;
using Pagoda.Physical;

namespace Pagoda.Pagers;

/// <summary>Swap-out: zero pages are noted, the others go to runs of fresh slots, one transfer a run.</summary>
public sealed unsafe partial class SwapPager
{
    /// <inheritdoc/>
    public void Write(in PagerBatch batch)
    {
        int* lanes = stackalloc int[ClusterMax];
        int lane = 0;
        while (lane < batch.Count)
        {
            int waiting = 0;
            for (; lane < batch.Count && waiting < ClusterMax; lane++)
            {
                if (PageZeroing.IsZero(batch.Page(lane))) Elide(in batch, lane);
                else lanes[waiting++] = lane;
            }
            WriteLanes(in batch, lanes, waiting);
        }
    }

    private void Elide(in PagerBatch batch, int lane)
    {
        FreeSlot(batch.Pages[lane]);
        _space.AddElided(1);
        batch.Status[lane] = PagerStatus.Zero;
    }

    private void WriteLanes(in PagerBatch batch, int* lanes, int count)
    {
        int next = 0;
        while (next < count)
        {
            int run = _space.Slots.TakeRun(count - next, out uint first);
            if (run != 0)
            {
                WriteRun(in batch, lanes + next, run, first);
                next += run;
                continue;
            }
            // The store is full. What an old slot holds is out of date, as the page is dirty: it can be written over.
            for (; next < count; next++)
            {
                int lane = lanes[next];
                uint own = SlotOf(batch.Pages[lane]);
                if (own == 0) batch.Status[lane] = PagerStatus.Full;
                else WriteRun(in batch, lanes + next, 1, own);
            }
        }
    }

    /// <summary>Writes lanes to slots that are theirs from now on, or are given back when the write fails.</summary>
    private void WriteRun(in PagerBatch batch, int* lanes, int count, uint first)
    {
        byte** pages = stackalloc byte*[ClusterMax];
        for (int i = 0; i < count; i++)
        {
            pages[i] = batch.Page(lanes[i]);
            _space.Seal(first + (uint)i, pages[i]);
        }
        int next = 0;
        while (next < count)
        {
            int errno = _space.Store.Write(first + (uint)next, pages + next, count - next, out int done);
            for (int i = next; i < next + done; i++) Keep(in batch, lanes[i], first + (uint)i);
            _space.AddWritten((ulong)done << Paging.PageShift);
            next += done;
            if ((errno == 0 && done != 0) || next == count) continue;
            // A store that cannot grow any more is full, whatever its map of slots says.
            PagerStatus status = errno == Errno.ENOSPC ? PagerStatus.Full : PagerStatus.Error;
            Abandon(in batch, lanes[next], first + (uint)next++, status);
        }
    }

    private void Keep(in PagerBatch batch, int lane, uint slot)
    {
        ulong page = batch.Pages[lane];
        if (SlotOf(page) != slot) FreeSlot(page);
        SetSlot(page, slot);
        batch.Status[lane] = PagerStatus.Ok;
    }

    private void Abandon(in PagerBatch batch, int lane, uint slot, PagerStatus status)
    {
        ulong page = batch.Pages[lane];
        // Written over in place and failed: the slot's old content, which nobody needs, is gone with it.
        if (SlotOf(page) == slot) FreeSlot(page);
        else _space.Slots.Give(slot, 1);
        batch.Status[lane] = status;
    }
}
