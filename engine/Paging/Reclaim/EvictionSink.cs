using Pagoda.Core;
using Pagoda.PageTables;
using Pagoda.Tlb;

namespace Pagoda.Reclaim;

/// <summary>
/// Keeps unlinked table pages for limbo. Leaves are not its business: their one generation comes when all mappings of
/// the batch are gone and its dirty flags are taken.
/// </summary>
[AllocationFree]
internal struct EvictionSink(ShootdownGather gather) : IRemovalSink
{
    /// <summary>Holds the table pages.</summary>
    public ShootdownGather Gather = gather;

    /// <inheritdoc/>
    public readonly void Page(ulong gpa, ulong oldEntry, int level)
    {
    }

    /// <inheritdoc/>
    public readonly void Changed(ulong gpa, ulong oldEntry, int level)
    {
    }

    /// <inheritdoc/>
    public void TablePage(uint pfn) => Gather.TablePage(pfn);

    /// <inheritdoc/>
    public void RetiredTable(uint pfn) => Gather.RetiredTable(pfn);
}
