using Pagoda.Diagnostics;
using Pagoda.PageTables;

namespace Pagoda.AddressSpace;

/// <summary>Collects what a vmspace, its tables and its consumers counted.</summary>
internal static class GuestStatistics
{
    /// <summary>A snapshot.</summary>
    public static GuestCounters Of(Vmspace space)
    {
        CounterTable counters = space.Counters;
        PmapStatistics tables = space.Statistics();
        return new GuestCounters
        {
            NestedFaults = counters.Sum(Counter.NestedFaults),
            SpuriousFaults = counters.Sum(Counter.SpuriousFaults),
            AccessedEmulations = counters.Sum(Counter.AccessedEmulations),
            DirtyEmulations = counters.Sum(Counter.DirtyEmulations),
            SuperpageAccessedEmulations = counters.Sum(Counter.SuperpageAccessedEmulations),
            AdEmulationSuperpagePromotions = counters.Sum(Counter.AdEmulationSuperpagePromotions),
            UnmappedFaults = counters.Sum(Counter.UnmappedFaults),
            FailedFaults = counters.Sum(Counter.FailedFaults),
            PagerReads = counters.Sum(Counter.PagerReads),
            ZeroFills = counters.Sum(Counter.ZeroFills),
            SwapIns = counters.Sum(Counter.SwapIns),
            SwapOuts = counters.Sum(Counter.SwapOuts),
            SwapReadBytes = counters.Sum(Counter.SwapReadBytes),
            SwapWriteBytes = counters.Sum(Counter.SwapWriteBytes),
            ZeroPagesElided = counters.Sum(Counter.ZeroPagesElided),
            CleanEvictions = counters.Sum(Counter.CleanEvictions),
            PoisonedPages = counters.Sum(Counter.PoisonedPages),
            DiscardedPages = counters.Sum(Counter.DiscardedPages),
            LaunderedPages = counters.Sum(Counter.LaunderedPages),
            ReadAheads = counters.Sum(Counter.ReadAheads),
            Invalidations = space.Consumers.Invalidations,
            Kicks = space.Consumers.Kicks,
            Holds = counters.Sum(Counter.Holds),
            Releases = counters.Sum(Counter.Releases),
            ResidentPages = tables.ResidentPages,
            WiredPages = tables.WiredPages,
            TablePages = tables.TablePages,
            Promotions = tables.Promotions,
            PromotionsScattered = tables.FailedScattered,
            PromotionsNotAccessed = tables.FailedNotAccessed,
            PromotionsDifferent = tables.FailedDifferent,
            PromotionsRaced = tables.FailedRaced,
            PromotionsNoFrame = tables.FailedNoFrame,
            Superpages = tables.Superpages,
            Gigapages = tables.Gigapages,
            Demotions = tables.Demotions,
        };
    }
}
