using Pagoda.Core;

namespace Pagoda.PageTables;

/// <summary>
/// Is told what a pmap took away, after the entry was changed and its modified bit was moved to the frame, and before
/// anything may be reused. Implement it as a struct: each one gets its own compiled operations.
/// </summary>
/// <remarks>
/// The caller shoots down (generation + 1, once for everything the sink was told) before it frees a frame or a table
/// page or reports a page clean or read-only. A sink is called with a window lock held: it must not wait.
/// </remarks>
[AllocationFree]
public interface IRemovalSink
{
    /// <summary>A leaf was removed.</summary>
    /// <param name="gpa">The first byte it mapped.</param>
    /// <param name="oldEntry">The entry as it last was.</param>
    /// <param name="level">1, 2 or 3: 4 KiB, 2 MiB or 1 GiB.</param>
    void Page(ulong gpa, ulong oldEntry, int level);

    /// <summary>A leaf lost rights or its modified bit, or changed its memory type; the frame stays mapped.</summary>
    /// <param name="gpa">The first byte it maps.</param>
    /// <param name="oldEntry">The entry as it was before.</param>
    /// <param name="level">1, 2 or 3: 4 KiB, 2 MiB or 1 GiB.</param>
    void Changed(ulong gpa, ulong oldEntry, int level);

    /// <summary>A table page was unlinked. Walkers may still be in it.</summary>
    /// <param name="pfn">Its frame, in state Table.</param>
    void TablePage(uint pfn);

    /// <summary>
    /// A table page was unlinked by a locked operation, but what its entries say is still right: nobody has to be told.
    /// Walkers may still be in it.
    /// </summary>
    /// <param name="pfn">Its frame, in state Table.</param>
    void RetiredTable(uint pfn);
}
