using Pagoda.Core;

namespace Pagoda.Reclaim;

/// <summary>How far reclaim came, and what stopped it.</summary>
public readonly record struct ReclaimResult
{
    /// <summary>Makes it.</summary>
    [AllocationFree]
    public ReclaimResult(int freed, ReclaimEnd end)
    {
        Freed = freed;
        End = end;
    }

    /// <summary>Frames that are free now and were not.</summary>
    [AllocationFree]
    public int Freed { get; }

    /// <summary>Why it stopped.</summary>
    [AllocationFree]
    public ReclaimEnd End { get; }
}

/// <summary>Why reclaim stopped.</summary>
public enum ReclaimEnd : byte
{
    /// <summary>There is as much room as was wanted.</summary>
    Enough = 0,

    /// <summary>Nothing more can be taken: the rest is wired, held, in use all the time, or cannot be stored.</summary>
    Exhausted,

    /// <summary>The pagers have no room for another dirty page. Nothing was lost; a discard makes room.</summary>
    SwapFull,

    /// <summary>The pagers could not write. Nothing was lost: the pages stay in memory.</summary>
    WriteError,
}
