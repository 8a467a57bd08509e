using Pagoda.PageTables;
using Pagoda.Pagers;

namespace Pagoda;

/// <summary>How a guest's memory is translated. Plain data; checked when the guest is made.</summary>
public sealed record GuestOptions
{
    /// <summary>The hardware format of the nested tables.</summary>
    public TableKind Tables { get; init; } = TableKind.Ept;

    /// <summary>Levels of the tables, 4 or 5.</summary>
    public int Levels { get; init; } = 4;

    /// <summary>Hardware keeps the accessed and dirty bits; false emulates them, with EPT alone.</summary>
    public bool HardwareAd { get; init; } = true;

    /// <summary>2 MiB leaves are allowed.</summary>
    public bool Superpages { get; init; } = true;

    /// <summary>
    /// 1 GiB leaves are allowed: memory that is wired or populated gets them where a GiB of it was never touched.
    /// </summary>
    public bool Gigapages { get; init; }

    /// <summary>How faults make superpages, if those are allowed.</summary>
    public SuperpagePolicy Policy { get; init; }

    /// <summary>EPT with hardware bits: the processor accepts execute-only leaves.</summary>
    public bool ExecOnly { get; init; }

    /// <summary>Where pages of the guest's memory go that lose their frames; null keeps them in memory.</summary>
    public SwapSpace? Swap { get; init; }

    /// <summary>
    /// Pages that a swap-in reads along at most, 0 to 15: those behind it whose slots follow, into frames that nobody
    /// needs, entered as not accessed.
    /// </summary>
    public int ReadAheadPages { get; init; } = 8;

    /// <summary>
    /// Bytes of its memory that the arena's page daemon leaves mapped, whatever others need. Whole pages.
    /// </summary>
    public ulong MinResidentBytes { get; init; }

    /// <summary>
    /// Bytes of its memory that are mapped at a time, at most, by a batch of faults of each consumer more or less; 0
    /// for no limit. Beyond it the guest's own pages go, and faults end without memory when none can. Kept with a page
    /// daemon alone. Whole pages, not below the minimum.
    /// </summary>
    public ulong MaxResidentBytes { get; init; }

    /// <summary>Consumers that the host may add at the same time.</summary>
    public int Consumers { get; init; } = 64;
}
