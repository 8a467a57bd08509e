namespace Pagoda.Core;

/// <summary>Sizes and shifts of the paging formats; the same for EPT, NPT and 64-bit x86.</summary>
[AllocationFree]
public static class Paging
{
    /// <summary>log2 of the bytes of a page.</summary>
    public const int PageShift = 12;

    /// <summary>Bytes of a page.</summary>
    public const ulong PageBytes = 1UL << PageShift;

    /// <summary>The byte offset inside a page.</summary>
    public const ulong PageOffsetMask = PageBytes - 1;

    /// <summary>Address bits that one table level resolves.</summary>
    public const int IndexBits = 9;

    /// <summary>Entries of one table page.</summary>
    public const int EntriesPerTable = 1 << IndexBits;

    /// <summary>log2 of the bytes of a window: an aligned 2 MiB of guest memory, what one leaf table maps.</summary>
    public const int WindowShift = PageShift + IndexBits;

    /// <summary>Bytes of a window.</summary>
    public const ulong WindowBytes = 1UL << WindowShift;

    /// <summary>The byte offset inside a window.</summary>
    public const ulong WindowOffsetMask = WindowBytes - 1;

    /// <summary>Pages of a window.</summary>
    public const int WindowPages = EntriesPerTable;

    /// <summary>log2 of the bytes of a 1 GiB superpage.</summary>
    public const int GigapageShift = WindowShift + IndexBits;

    /// <summary>Bytes of a 1 GiB superpage.</summary>
    public const ulong GigapageBytes = 1UL << GigapageShift;

    /// <summary>Buddy order of a 2 MiB run of frames.</summary>
    public const int WindowOrder = IndexBits;

    /// <summary>The level of the tables whose entries are PTEs.</summary>
    public const int PtLevel = 1;

    /// <summary>The level whose entries are PDEs, of 2 MiB each.</summary>
    public const int PdLevel = 2;

    /// <summary>The level whose entries are PDPTEs, of 1 GiB each.</summary>
    public const int PdptLevel = 3;

    /// <summary>The levels of a table tree: 1 is the leaf table, 4 or 5 the root.</summary>
    public const int LevelsMax = 5;

    /// <summary>The address bits below an entry of <paramref name="level"/>: 12, 21, 30, 39, 48.</summary>
    public static int LevelShift(int level) => PageShift + IndexBits * (level - 1);
}
