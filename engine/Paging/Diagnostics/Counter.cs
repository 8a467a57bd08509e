namespace Pagoda.Diagnostics;

/// <summary>The cells of a <see cref="CounterTable"/> row. Order is layout: a row is four cache lines.</summary>
public enum Counter : byte
{
    /// <summary>Faults on mapped memory that took the whole pipeline.</summary>
    NestedFaults = 0,

    /// <summary>Faults on an entry that already granted the access.</summary>
    SpuriousFaults,

    /// <summary>A set by software on a read or fetch of a 4 KiB page.</summary>
    AccessedEmulations,

    /// <summary>A and M set by software on a write of a 4 KiB page.</summary>
    DirtyEmulations,

    /// <summary>A set by software on a superpage.</summary>
    SuperpageAccessedEmulations,

    /// <summary>Promotions that the emulation handler attempted.</summary>
    AdEmulationSuperpagePromotions,

    /// <summary>Pages held.</summary>
    Holds,

    /// <summary>Pages released.</summary>
    Releases,

    /// <summary>Faults outside every map entry: the device model's business.</summary>
    UnmappedFaults,

    /// <summary>Faults that ended in an error status.</summary>
    FailedFaults,

    /// <summary>Pages that a pager filled.</summary>
    PagerReads,

    /// <summary>Pages that were zero-filled.</summary>
    ZeroFills,

    /// <summary>Lanes that found their page in the hands of another fault and started again.</summary>
    BusyRetries,

    /// <summary>Lanes that started again because the map changed under them.</summary>
    MapRetries,

    /// <summary>Lanes folded onto an earlier lane of their batch that names the same page.</summary>
    FoldedLanes,

    /// <summary>Pages read back after they had been taken out of memory.</summary>
    SwapIns,

    /// <summary>Pages stored by their pager to free their frames.</summary>
    SwapOuts,

    /// <summary>Bytes of pages that pagers read back.</summary>
    SwapReadBytes,

    /// <summary>Bytes of pages that pagers stored.</summary>
    SwapWriteBytes,

    /// <summary>Dirty pages that were all zero, so that nothing had to be stored.</summary>
    ZeroPagesElided,

    /// <summary>Pages that lost their frame without a write, because their pager had them.</summary>
    CleanEvictions,

    /// <summary>Pages lost to an error of their pager.</summary>
    PoisonedPages,

    /// <summary>Pages that lost their content because the host said it was no longer needed.</summary>
    DiscardedPages,

    /// <summary>Dirty pages that were written ahead and stayed in memory.</summary>
    LaunderedPages,

    /// <summary>Pages read along with one that was asked for.</summary>
    ReadAheads,
}
