using System;
using BenchmarkDotNet.Attributes;
using Pagoda.Core;
using Pagoda.PageTables;
using Pagoda.Perf.Gate;
using Pagoda.Physical;

namespace Pagoda.Perf.PageTables;

/// <summary>A window of 512 written pages in a row of frames, to promote and to demote.</summary>
internal sealed class WindowToPromote : IDisposable
{
    private readonly PmapFixture _fixture = new();

    public WindowToPromote()
    {
        var request = new LeafRequest(Prot.All, Prot.Write);
        var sink = new FreeingSink(_fixture.Frames);
        PmapStatus status = _fixture.Pmap.EnterRun(0, _fixture.FirstHpa, Core.Paging.WindowPages, in request,
            _fixture.Frames, ref sink, out _);
        Invariant.Require(status == PmapStatus.Ok);
    }

    public void Promote()
    {
        var sink = new FreeingSink(_fixture.Frames);
        PromotionResult result = _fixture.Pmap.Promote(0, _fixture.Frames, ref sink);
        Invariant.Require(result == PromotionResult.Promoted);
        Retired = sink.Pfn;
    }

    public void Demote()
    {
        var sink = new FreeingSink(_fixture.Frames);
        PmapStatus status = _fixture.Pmap.Demote(0, _fixture.Frames, ref sink);
        Invariant.Require(status == PmapStatus.Ok);
    }

    /// <summary>The last promotion's leaf table is free again, as limbo would have it.</summary>
    public void Recycle()
    {
        _fixture.Frames.Give(Retired);
        _fixture.Frames.Reserve(1);
    }

    public void Dispose() => _fixture.Dispose();

    private uint Retired { get; set; }

    /// <summary>Keeps the leaf table that a promotion retires.</summary>
    private struct FreeingSink(FrameCache frames) : IRemovalSink
    {
        private readonly FrameCache _frames = frames;

        public uint Pfn { get; private set; }

        public readonly void Page(ulong gpa, ulong oldEntry, int level) => Invariant.Require(_frames is null);

        public readonly void Changed(ulong gpa, ulong oldEntry, int level) => Invariant.Require(_frames is null);

        public readonly void TablePage(uint pfn) => Invariant.Require(_frames is null);

        public void RetiredTable(uint pfn) => Pfn = pfn;
    }
}

/// <summary>Promotion of a full window, its leaf table in cache.</summary>
public sealed class PromoteWorkload : Workload
{
    private readonly WindowToPromote _window = new();

    /// <inheritdoc/>
    public override string Operation => "PTE of a window promoted";

    /// <inheritdoc/>
    public override int OperationsPerRun => Core.Paging.WindowPages;

    /// <inheritdoc/>
    public override bool IsReset => true;

    /// <inheritdoc/>
    public override void Run() => _window.Promote();

    /// <inheritdoc/>
    public override void Reset()
    {
        _window.Recycle();
        _window.Demote();
    }

    /// <inheritdoc/>
    public override void Dispose() => _window.Dispose();
}

/// <summary>Demotion of a superpage.</summary>
public sealed class DemoteWorkload : Workload
{
    private readonly WindowToPromote _window = new();

    /// <summary>Promotes the window.</summary>
    public DemoteWorkload() => Reset();

    /// <inheritdoc/>
    public override string Operation => "PTE of a superpage demoted";

    /// <inheritdoc/>
    public override int OperationsPerRun => Core.Paging.WindowPages;

    /// <inheritdoc/>
    public override bool IsReset => true;

    /// <inheritdoc/>
    public override void Run() => _window.Demote();

    /// <inheritdoc/>
    public override void Reset()
    {
        _window.Promote();
        _window.Recycle();
    }

    /// <inheritdoc/>
    public override void Dispose() => _window.Dispose();
}

/// <summary>One load of every entry, of a table in cache.</summary>
public sealed unsafe class PromoteLimit : Workload
{
    private readonly NativeBlock _block = new((int)Core.Paging.PageBytes);
    private ulong _sum;

    /// <inheritdoc/>
    public override string Operation => "a load";

    /// <inheritdoc/>
    public override int OperationsPerRun => Core.Paging.WindowPages;

    /// <inheritdoc/>
    public override void Run()
    {
        ulong* table = (ulong*)_block.Base;
        ulong sum = 0;
        for (int i = 0; i < Core.Paging.WindowPages; i++) sum += Shared.Load(table + i);
        _sum += sum;
    }

    /// <inheritdoc/>
    public override void Dispose() => _block.Dispose();
}

/// <summary>Superpages made of small pages, and back.</summary>
public class PromoteBenchmarks
{
    private readonly PromoteWorkload _promote = new();
    private readonly PromoteLimit _limit = new();

    /// <summary>A promotion and the demotion that undoes it.</summary>
    [Benchmark(OperationsPerInvoke = Core.Paging.WindowPages)]
    public void PromoteAndDemote()
    {
        _promote.Run();
        _promote.Reset();
    }

    /// <summary>A load of every entry.</summary>
    [Benchmark(OperationsPerInvoke = Core.Paging.WindowPages, Baseline = true)]
    public void Limit() => _limit.Run();

    /// <summary>Frees the memory.</summary>
    [GlobalCleanup]
    public void Cleanup()
    {
        _promote.Dispose();
        _limit.Dispose();
    }
}
