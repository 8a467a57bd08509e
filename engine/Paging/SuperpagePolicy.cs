namespace Pagoda;

/// <summary>How faults make superpages of a guest's memory, where its tables may have them.</summary>
public enum SuperpagePolicy : byte
{
    /// <summary>
    /// A fault maps 4 KiB, in a frame that was set aside for its place; a window whose 512 pages are there, used and
    /// alike is promoted. No page is in memory that nobody asked for.
    /// </summary>
    Fixed = 0,

    /// <summary>
    /// The first write to a window that nothing is mapped in populates all of it by one leaf of 2 MiB, written. A read
    /// maps 4 KiB.
    /// </summary>
    Superpage,
}
