namespace Pagoda.PageTables;

/// <summary>What a pmap holds and did. Pages are 4 KiB. Exact while nobody changes the tree.</summary>
public struct PmapStatistics
{
    /// <summary>Mapped pages; a superpage counts as all of its pages. Table pages are not among them.</summary>
    public ulong ResidentPages;

    /// <summary>Wired ones of them.</summary>
    public ulong WiredPages;

    /// <summary>2 MiB leaves.</summary>
    public ulong Superpages;

    /// <summary>1 GiB leaves.</summary>
    public ulong Gigapages;

    /// <summary>Frames of linked tables, the top one included.</summary>
    public ulong TablePages;

    /// <summary>Frames kept for the demotion of wired superpages.</summary>
    public ulong ReservePages;

    /// <summary>Windows whose 512 leaves became one.</summary>
    public ulong Promotions;

    /// <summary>Attempts at that which found other frames than 512 in a row.</summary>
    public ulong FailedScattered;

    /// <summary>Attempts that found a leaf without A.</summary>
    public ulong FailedNotAccessed;

    /// <summary>Attempts that found leaves that differ in rights, kind or M.</summary>
    public ulong FailedDifferent;

    /// <summary>Attempts during which a leaf was written.</summary>
    public ulong FailedRaced;

    /// <summary>Attempts on wired leaves that found no frame for the reserve.</summary>
    public ulong FailedNoFrame;

    /// <summary>All attempts that failed.</summary>
    public readonly ulong FailedPromotions =>
        FailedScattered + FailedNotAccessed + FailedDifferent + FailedRaced + FailedNoFrame;

    /// <summary>Superpages that became 512 leaves of one level less.</summary>
    public ulong Demotions;
}
