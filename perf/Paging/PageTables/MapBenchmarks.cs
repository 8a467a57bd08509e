using BenchmarkDotNet.Attributes;
using Pagoda.Core;
using Pagoda.PageTables;
using Pagoda.Perf.Gate;

namespace Pagoda.Perf.PageTables;

/// <summary>A run of pages of one window entered and removed again.</summary>
public sealed class MapWorkload : Workload
{
    /// <summary>All pages of a window but the last, which stays mapped and so keeps the leaf table.</summary>
    public const int Pages = Core.Paging.WindowPages - 1;

    private const ulong LengthBytes = Pages * Core.Paging.PageBytes;
    private readonly PmapFixture _fixture = new();
    private readonly LeafRequest _request = new(Prot.All, Prot.None);

    /// <summary>Maps the window's last page.</summary>
    public MapWorkload() => Enter(LengthBytes, 1);

    /// <inheritdoc/>
    public override string Operation => "page entered in a run of 511, and removed";

    /// <inheritdoc/>
    public override int OperationsPerRun => Pages;

    /// <inheritdoc/>
    public override void Run()
    {
        Enter(0, Pages);
        var sink = default(DroppingSink);
        _fixture.Pmap.Remove(0, LengthBytes, _fixture.Frames, ref sink);
    }

    /// <inheritdoc/>
    public override void Dispose() => _fixture.Dispose();

    private void Enter(ulong gpa, ulong pages)
    {
        var sink = default(DroppingSink);
        PmapStatus status = _fixture.Pmap.EnterRun(gpa, _fixture.FirstHpa + gpa, pages, in _request, _fixture.Frames,
            ref sink, out ulong entered);
        Invariant.Require(status == PmapStatus.Ok);
        Invariant.Require(entered == pages);
    }
}

/// <summary>One store an entry, and one locked exchange, without which a bit set by hardware is lost.</summary>
public sealed unsafe class MapLimit : Workload
{
    private readonly NativeBlock _block = new((int)Core.Paging.PageBytes);

    /// <inheritdoc/>
    public override string Operation => "a store and a locked exchange";

    /// <inheritdoc/>
    public override int OperationsPerRun => MapWorkload.Pages;

    /// <inheritdoc/>
    public override void Run()
    {
        ulong* table = (ulong*)_block.Base;
        for (int i = 0; i < MapWorkload.Pages; i++) table[i] = ((ulong)i << Core.Paging.PageShift) | 7;
        for (int i = 0; i < MapWorkload.Pages; i++) Shared.Exchange(table + i, 0);
    }

    /// <inheritdoc/>
    public override void Dispose() => _block.Dispose();
}

/// <summary>Mapping and unmapping a run of small pages in one leaf table.</summary>
public class MapBenchmarks
{
    private readonly MapWorkload _map = new();
    private readonly MapLimit _limit = new();

    /// <summary>The leaf table exists and is in the nearest cache; no page was accessed between.</summary>
    [Benchmark(OperationsPerInvoke = MapWorkload.Pages)]
    public void EnterRunAndRemove() => _map.Run();

    /// <summary>The stores and exchanges alone.</summary>
    [Benchmark(OperationsPerInvoke = MapWorkload.Pages, Baseline = true)]
    public void Limit() => _limit.Run();

    /// <summary>Frees the memory.</summary>
    [GlobalCleanup]
    public void Cleanup()
    {
        _map.Dispose();
        _limit.Dispose();
    }
}
