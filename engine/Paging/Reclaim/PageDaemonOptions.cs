namespace Pagoda.Reclaim;

/// <summary>How much memory the guests of an arena may keep, and whom to tell. Plain data.</summary>
public sealed record PageDaemonOptions
{
    /// <summary>Threads that write, at most.</summary>
    public const int ThreadsMax = 14;

    /// <summary>Bytes of the arena that may be in use; 0 for all of it. Tables and indexes count.</summary>
    public ulong ResidentBytes { get; init; }

    /// <summary>
    /// Bytes that a step by the daemon leaves free below the budget, so that faults need not make room themselves.
    /// </summary>
    public ulong LowBytes { get; init; } = 64 * Core.Paging.PageBytes;

    /// <summary>Bytes that a step frees to, at least <see cref="LowBytes"/>.</summary>
    public ulong HighBytes { get; init; } = 128 * Core.Paging.PageBytes;

    /// <summary>
    /// Threads that write pages out; with any, one more makes room when faults ring, ahead of need. 0: the host steps
    /// the daemon by hand, and faults make room themselves, which is deterministic. A pager of such an arena must not
    /// throw when it writes: it has no caller to throw to.
    /// </summary>
    public int Threads { get; init; }

    /// <summary>Is told of pressure and of lost pages; null for nobody.</summary>
    public IPressureListener? Listener { get; init; }
}
