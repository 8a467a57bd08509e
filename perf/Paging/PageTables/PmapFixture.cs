using System;
using Pagoda.Core;
using Pagoda.PageTables;
using Pagoda.Physical;

namespace Pagoda.Perf.PageTables;

/// <summary>An EPT pmap over a small arena, with frames for its tables at hand and pages to map.</summary>
/// <remarks>One thread uses it and caches nothing, so it stands in no consumer slot and frees tables at once.</remarks>
internal sealed class PmapFixture : IDisposable
{
    private const ulong ArenaBytes = 16UL << 20;

    public PmapFixture()
    {
        Arena = new Arena(new ArenaOptions { Bytes = ArenaBytes, Prefault = true });
        Frames = new FrameCache(Arena);
        Pmap = new Pmap(Arena, new PmapOptions { Kind = TableKind.Ept });
        uint first = Arena.Allocator.TryTake(Core.Paging.WindowOrder);
        Invariant.Require(first != 0);
        for (uint i = 0; i < Core.Paging.WindowPages; i++) Arena.Frames.ToPage(first + i, 1, i);
        FirstHpa = (ulong)first << Core.Paging.PageShift;
    }

    public Arena Arena { get; }

    public FrameCache Frames { get; }

    public Pmap Pmap { get; }

    /// <summary>The first of 512 frames in a row.</summary>
    public ulong FirstHpa { get; }

    public void Dispose()
    {
        Pmap.Dispose();
        Frames.Dispose();
        Arena.Dispose();
    }
}

/// <summary>Drops what removals tell: nobody caches a translation here.</summary>
internal readonly struct DroppingSink : IRemovalSink
{
    public void Page(ulong gpa, ulong oldEntry, int level)
    {
    }

    public void Changed(ulong gpa, ulong oldEntry, int level)
    {
    }

    public void TablePage(uint pfn) => Invariant.Fail("The workloads keep their tables.");

    public void RetiredTable(uint pfn) => TablePage(pfn);
}
