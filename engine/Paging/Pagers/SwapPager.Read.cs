using Pagoda.Core;

namespace Pagoda.Pagers;

/// <summary>Swap-in: one transfer a run of neighbouring slots, each page verified against its checksum.</summary>
public sealed unsafe partial class SwapPager
{
    /// <inheritdoc/>
    public void Read(in PagerBatch batch)
    {
        int lane = 0;
        while (lane < batch.Count)
        {
            uint first = SlotOf(batch.Pages[lane]);
            if (first == 0)
            {
                batch.Status[lane++] = PagerStatus.Zero;
                continue;
            }
            int run = 1;
            while (run < ClusterMax && lane + run < batch.Count && SlotOf(batch.Pages[lane + run]) == first + (uint)run)
            {
                run++;
            }
            ReadRun(in batch, lane, run, first);
            lane += run;
        }
    }

    private void ReadRun(in PagerBatch batch, int lane, int count, uint first)
    {
        byte** pages = stackalloc byte*[ClusterMax];
        for (int i = 0; i < count; i++) pages[i] = batch.Page(lane + i);
        int next = 0;
        while (next < count)
        {
            int errno = _space.Store.Read(first + (uint)next, pages + next, count - next, out int done);
            for (int i = next; i < next + done; i++)
            {
                bool whole = _space.Verifies(first + (uint)i, pages[i]);
                if (!whole) _space.AddChecksumError();
                batch.Status[lane + i] = whole ? PagerStatus.Ok : PagerStatus.Error;
            }
            _space.AddRead((ulong)done << Paging.PageShift);
            next += done;
            // A page that cannot be read is lost alone: its neighbours behind it are asked for again.
            if ((errno != 0 || done == 0) && next < count) batch.Status[lane + next++] = PagerStatus.Error;
        }
    }
}
