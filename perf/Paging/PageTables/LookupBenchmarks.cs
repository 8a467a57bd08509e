using BenchmarkDotNet.Attributes;
using Pagoda.Core;
using Pagoda.PageTables;
using Pagoda.Perf.Gate;

namespace Pagoda.Perf.PageTables;

/// <summary>Leaves of mapped pages found by the pmap's own lock-free walk.</summary>
public sealed class LookupWorkload : Workload
{
    private readonly PmapFixture _fixture = new();

    /// <summary>Maps one window.</summary>
    public LookupWorkload()
    {
        var sink = default(DroppingSink);
        var request = new LeafRequest(Prot.All, Prot.ReadWrite);
        PmapStatus status = _fixture.Pmap.EnterRun(0, _fixture.FirstHpa, Core.Paging.WindowPages, in request,
            _fixture.Frames, ref sink, out _);
        Invariant.Require(status == PmapStatus.Ok);
    }

    /// <inheritdoc/>
    public override string Operation => "page looked up, 4 levels";

    /// <inheritdoc/>
    public override int OperationsPerRun => WalkTables.Lanes;

    /// <summary>The last leaves' sum, so that the walks are needed.</summary>
    public ulong Last { get; private set; }

    /// <inheritdoc/>
    public override void Run()
    {
        Pmap pmap = _fixture.Pmap;
        ulong sum = 0;
        for (int lane = 0; lane < WalkTables.Lanes; lane++) sum += pmap.Lookup(WalkTables.GpaOf(lane), out _);
        Last = sum;
    }

    /// <inheritdoc/>
    public override void Dispose() => _fixture.Dispose();
}

/// <summary>What translating an address costs without rights, updates or faults.</summary>
public class LookupBenchmarks
{
    private readonly LookupWorkload _lookup = new();
    private readonly WalkLimit _limit = new();

    /// <summary>Every lane is mapped; each has a cache line of the leaf table to itself.</summary>
    [Benchmark(OperationsPerInvoke = WalkTables.Lanes)]
    public void Lookup() => _lookup.Run();

    /// <summary>The loads alone.</summary>
    [Benchmark(OperationsPerInvoke = WalkTables.Lanes, Baseline = true)]
    public void Limit() => _limit.Run();

    /// <summary>Frees the memory.</summary>
    [GlobalCleanup]
    public void Cleanup()
    {
        _lookup.Dispose();
        _limit.Dispose();
    }
}
