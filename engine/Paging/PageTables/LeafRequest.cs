using Pagoda.Core;

namespace Pagoda.PageTables;

/// <summary>What a new leaf shall be, beside its address. The default is refused: it has no rights.</summary>
[AllocationFree]
public readonly struct LeafRequest(
    Prot prot, Prot access, bool wired = false, bool managed = true, bool uncached = false)
{
    /// <summary>What is allowed.</summary>
    public readonly Prot Prot = prot;

    /// <summary>What the access was that made the mapping necessary; None for one made ahead of use.</summary>
    public readonly Prot Access = access;

    /// <summary>Reclaim must not take it. It is entered as used by every right, so it never faults again.</summary>
    public readonly bool Wired = wired;

    /// <summary>The frame lies in the arena and its marks are kept. False for device memory.</summary>
    public readonly bool Managed = managed;

    /// <summary>Memory type uncacheable instead of write-back.</summary>
    public readonly bool Uncached = uncached;
}
