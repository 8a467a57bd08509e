using Pagoda.Core;

namespace Pagoda.PageTables;

public sealed unsafe partial class Pmap
{
    /// <summary>
    /// Counts what is mapped. Inside a consumer slot. Reads the upper tables and one record a leaf table: counters of
    /// resident pages would be lines that consumers on disjoint windows write in turn.
    /// </summary>
    public PmapStatistics GetStatistics()
    {
        PmapStatistics statistics = default;
        Count(_rootPfn, _format.Levels, ref statistics);
        statistics.WiredPages = Shared.Load(&_counters->WiredPages);
        statistics.TablePages = Shared.Load(&_counters->TablePages);
        statistics.ReservePages = Shared.Load(&_counters->ReservePages);
        statistics.Promotions = Shared.Load(&_counters->Promotions);
        statistics.FailedScattered = FailuresOf(PromotionResult.Scattered);
        statistics.FailedNotAccessed = FailuresOf(PromotionResult.NotAccessed);
        statistics.FailedDifferent = FailuresOf(PromotionResult.Different);
        statistics.FailedRaced = FailuresOf(PromotionResult.Raced);
        statistics.FailedNoFrame = FailuresOf(PromotionResult.NoFrame);
        statistics.Demotions = Shared.Load(&_counters->Demotions);
        return statistics;
    }

    private ulong FailuresOf(PromotionResult result)
    {
        ulong* failures = _counters->Failures;
        return Shared.Load(failures + (int)result);
    }

    /// <summary>
    /// 4 KiB pages that leaves map. Inside a consumer slot; reads what <see cref="GetStatistics"/> does.
    /// </summary>
    public ulong CountResident()
    {
        PmapStatistics statistics = default;
        Count(_rootPfn, _format.Levels, ref statistics);
        return statistics.ResidentPages;
    }

    private void Count(uint pfn, int level, ref PmapStatistics statistics)
    {
        ulong valid = _format.Valid;
        ulong* table = TableAt(pfn);
        var scan = new PteScan(table, 0, Paging.EntriesPerTable, valid);
        while (scan.TryNext(out int i))
        {
            ulong entry = Shared.Load(table + i);
            if ((entry & valid) == 0) continue;
            if (_format.IsLeaf(entry, level))
            {
                statistics.ResidentPages += PagesOf(level);
                if (level == 2) statistics.Superpages++;
                else statistics.Gigapages++;
            }
            else if (level == 2)
            {
                statistics.ResidentPages += (ulong)_frames.TableEntries(TablePfn(entry));
            }
            else
            {
                Count(TablePfn(entry), level - 1, ref statistics);
            }
        }
    }
}
