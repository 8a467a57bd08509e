namespace Pagoda.Diagnostics;

/// <summary>
/// What one guest did since it was made: a snapshot, each number exact for threads that have stopped.
/// </summary>
public readonly struct GuestCounters
{
    private const int WindowPagesShift = 9;

    /// <summary>Faults on mapped memory that took the whole pipeline.</summary>
    public ulong NestedFaults { get; init; }

    /// <summary>Faults on an entry that already granted the access: another vCPU was faster.</summary>
    public ulong SpuriousFaults { get; init; }

    /// <summary>Emulation alone: A set by software on a read or fetch.</summary>
    public ulong AccessedEmulations { get; init; }

    /// <summary>Emulation alone: A and M set by software on a write.</summary>
    public ulong DirtyEmulations { get; init; }

    /// <summary>Emulation alone: A set by software on a superpage.</summary>
    public ulong SuperpageAccessedEmulations { get; init; }

    /// <summary>Emulation alone: promotions attempted by the handler, successful or not.</summary>
    public ulong AdEmulationSuperpagePromotions { get; init; }

    /// <summary>Faults outside every map entry.</summary>
    public ulong UnmappedFaults { get; init; }

    /// <summary>Faults that ended in an error status.</summary>
    public ulong FailedFaults { get; init; }

    /// <summary>Pages that a pager filled.</summary>
    public ulong PagerReads { get; init; }

    /// <summary>Pages that were zero-filled.</summary>
    public ulong ZeroFills { get; init; }

    /// <summary>Pages read back after they had been taken out of memory.</summary>
    public ulong SwapIns { get; init; }

    /// <summary>Pages stored by their pager to free their frames.</summary>
    public ulong SwapOuts { get; init; }

    /// <summary>Bytes of pages that pagers read back.</summary>
    public ulong SwapReadBytes { get; init; }

    /// <summary>Bytes of pages that pagers stored.</summary>
    public ulong SwapWriteBytes { get; init; }

    /// <summary>Dirty pages that were all zero, so that nothing had to be stored.</summary>
    public ulong ZeroPagesElided { get; init; }

    /// <summary>Pages that lost their frame without a write, because their pager had them.</summary>
    public ulong CleanEvictions { get; init; }

    /// <summary>Pages lost to an error of their pager.</summary>
    public ulong PoisonedPages { get; init; }

    /// <summary>Pages that lost their content because the host said it was no longer needed.</summary>
    public ulong DiscardedPages { get; init; }

    /// <summary>Dirty pages that were written ahead and stayed in memory.</summary>
    public ulong LaunderedPages { get; init; }

    /// <summary>Pages read along with one that was asked for.</summary>
    public ulong ReadAheads { get; init; }

    /// <summary>Generations that were advanced to take translations back.</summary>
    public ulong Invalidations { get; init; }

    /// <summary>Consumers that were active with an older generation when one was advanced.</summary>
    public ulong Kicks { get; init; }

    /// <summary>Pages held.</summary>
    public ulong Holds { get; init; }

    /// <summary>Pages released.</summary>
    public ulong Releases { get; init; }

    /// <summary>4 KiB pages that leaves map now.</summary>
    public ulong ResidentPages { get; init; }

    /// <summary>4 KiB pages that wired leaves map now.</summary>
    public ulong WiredPages { get; init; }

    /// <summary>Table pages in use now, the root included.</summary>
    public ulong TablePages { get; init; }

    /// <summary>Windows turned into superpages.</summary>
    public ulong Promotions { get; init; }

    /// <summary>Attempts to make a superpage that failed, for every cause.</summary>
    public ulong PromotionFailures =>
        PromotionsScattered + PromotionsNotAccessed + PromotionsDifferent + PromotionsRaced + PromotionsNoFrame;

    /// <summary>Attempts that found other frames than 512 in a row.</summary>
    public ulong PromotionsScattered { get; init; }

    /// <summary>Attempts that found a page that was not used.</summary>
    public ulong PromotionsNotAccessed { get; init; }

    /// <summary>Attempts that found pages that differ in rights, kind or having been written.</summary>
    public ulong PromotionsDifferent { get; init; }

    /// <summary>Attempts during which a page was written.</summary>
    public ulong PromotionsRaced { get; init; }

    /// <summary>Attempts on wired pages that found no frame for the reserve.</summary>
    public ulong PromotionsNoFrame { get; init; }

    /// <summary>2 MiB leaves now.</summary>
    public ulong Superpages { get; init; }

    /// <summary>1 GiB leaves now.</summary>
    public ulong Gigapages { get; init; }

    /// <summary>The part of the resident pages that superpages map, 0 to 1.</summary>
    public double SuperpageCoverage => ResidentPages == 0 ? 0
        : (double)((Superpages << WindowPagesShift) + (Gigapages << 2 * WindowPagesShift)) / ResidentPages;

    /// <summary>Superpages turned back into tables.</summary>
    public ulong Demotions { get; init; }
}
