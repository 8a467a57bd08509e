namespace Pagoda.Pagers;

/// <summary>How a swap file is opened.</summary>
public sealed class SwapFileOptions
{
    /// <summary>The file, made if it is not there, or a block device.</summary>
    public required string Path { get; init; }

    /// <summary>
    /// Bytes for pages, a multiple of the page size; 0 takes a block device or an existing file as it is.
    /// </summary>
    public ulong Bytes { get; init; }

    /// <summary>
    /// Overwrites what a process that died left behind. Without it such a file is refused. A file that is no swap
    /// file is refused in any case.
    /// </summary>
    public bool ResetStale { get; init; }
}
