namespace Pagoda.Physical;

/// <summary>What a frame is. The legal changes are in FrameTable.Transitions.cs.</summary>
public enum FrameState : byte
{
    /// <summary>On a free list of the allocator, or taken and not yet given a use. Its content is anything.</summary>
    Free = 0,

    /// <summary>In the zeroed pool or a consumer's cache, or taken from one. Every byte is 0.</summary>
    Zeroed,

    /// <summary>A page of a page-table tree.</summary>
    Table,

    /// <summary>512 page words of a VM object.</summary>
    Index,

    /// <summary>A page of a VM object.</summary>
    Page,

    /// <summary>Unlinked; some consumer may still follow an old translation to it.</summary>
    Limbo,
}
