using System;
using Pagoda.Diagnostics;

namespace Pagoda.Machine.Replay;

/// <summary>What a replay came to. All but the last three follow from the trace, the options and the seed.</summary>
public sealed class ReplayResult
{
    /// <summary>How it ended.</summary>
    public required ReplayEnd End { get; init; }

    /// <summary>Why it ended before the trace did; empty when it did not.</summary>
    public required string Message { get; init; }

    /// <summary>Accesses by <see cref="TraceKind"/>.</summary>
    public required ulong[] Accesses { get; init; }

    /// <summary>Lines of the trace that are no accesses.</summary>
    public required ulong SkippedLines { get; init; }

    /// <summary>Different pages that were touched.</summary>
    public required ulong FootprintPages { get; init; }

    /// <summary>Accesses to a page; one that crosses into another page makes two.</summary>
    public required ulong TlbLookups { get; init; }

    /// <summary>Those that the TLB's first level served.</summary>
    public required ulong TlbHits { get; init; }

    /// <summary>Those that the second level served.</summary>
    public required ulong TlbSecondHits { get; init; }

    /// <summary>Walks of the nested tables that found a translation.</summary>
    public required ulong Walks { get; init; }

    /// <summary>How often the TLB was emptied because something was taken back.</summary>
    public required ulong TlbFlushes { get; init; }

    /// <summary>Faults on pages that had been mapped before and had been taken away.</summary>
    public required ulong Refaults { get; init; }

    /// <summary>Everything that was read, in order, as one number.</summary>
    public required ulong ContentChecksum { get; init; }

    /// <summary>The working-set curve, by ascending length.</summary>
    public required WorkingSetPoint[] WorkingSet { get; init; }

    /// <summary>The paging kernel's counters.</summary>
    public required GuestCounters Counters { get; init; }

    /// <summary>Wall-clock time, reading the trace included.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>Managed bytes that the replay's thread allocated meanwhile.</summary>
    public required long ManagedBytesAllocated { get; init; }

    /// <summary>Garbage collections meanwhile.</summary>
    public required int GcCollections { get; init; }

    /// <summary>Accesses of every kind.</summary>
    public ulong AccessCount => Accesses[0] + Accesses[1] + Accesses[2] + Accesses[3];

    /// <summary>The part of the lookups that either level of the TLB served, 0 to 1.</summary>
    public double TlbHitRate => TlbLookups == 0 ? 0 : (double)(TlbHits + TlbSecondHits) / TlbLookups;

    /// <summary>Millions of accesses a second.</summary>
    public double AccessesPerMicrosecond =>
        Elapsed > TimeSpan.Zero ? AccessCount / Elapsed.TotalSeconds / 1e6 : 0;
}
