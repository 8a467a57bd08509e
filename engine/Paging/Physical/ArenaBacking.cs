namespace Pagoda.Physical;

/// <summary>Where an arena's memory comes from.</summary>
public enum ArenaBacking : byte
{
    /// <summary>
    /// Private anonymous memory, asked for in 2 MiB pages: zeroed and walked two to three times faster.
    /// </summary>
    AnonymousHuge = 0,

    /// <summary>A memfd, for memory that another mapping or process has to see too.</summary>
    Memfd,

    /// <summary>
    /// Reserved 2 MiB pages (hugetlb). All of them are taken when the arena is made, or it is refused.
    /// </summary>
    Hugetlb,

    /// <summary>Memory that the caller brings, keeps mapped while the arena lives, and frees.</summary>
    Caller,
}
