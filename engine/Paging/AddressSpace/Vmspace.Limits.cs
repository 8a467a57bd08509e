using Pagoda.Core;

namespace Pagoda.AddressSpace;

/// <summary>How much of the arena a space may keep, and the hand of reclaim that goes over it alone.</summary>
public sealed unsafe partial class Vmspace
{
    /// <summary>Pages that reclaim leaves to it; 0 for none. Set before the space is used.</summary>
    [AllocationFree]
    internal ulong MinResidentPages { get; set; }

    /// <summary>Pages that its tables map at most; 0 for no limit. Set before the space is used.</summary>
    [AllocationFree]
    internal ulong MaxResidentPages { get; set; }

    /// <summary>Pages that a swap-in reads along at most.</summary>
    [AllocationFree]
    internal int ReadAheadPages { get; set; }

    /// <summary>Where reclaim of this space alone goes on; the largest number where a cycle has ended.</summary>
    /// <remarks>It and the threshold belong to whoever has the page daemon's lock.</remarks>
    [AllocationFree]
    internal ulong ReclaimGpa { get; set; } = ulong.MaxValue;

    /// <summary>The age from which on its pages go.</summary>
    [AllocationFree]
    internal byte ReclaimThreshold { get; set; }
}
