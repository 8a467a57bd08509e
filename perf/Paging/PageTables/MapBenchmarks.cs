using BenchmarkDotNet.Attributes;
using Pagoda.Core;
using Pagoda.PageTables;
using Pagoda.Perf.Gate;

namespace Pagoda.Perf.PageTables;

/// <summary>A run of pages of one window, to enter and to remove.</summary>
internal sealed class WindowRun : System.IDisposable
{
    /// <summary>All pages of a window but the last, which stays mapped and so keeps the leaf table.</summary>
    public const int Pages = Core.Paging.WindowPages - 1;

    private const ulong LengthBytes = Pages * Core.Paging.PageBytes;
    private readonly PmapFixture _fixture = new();
    private readonly LeafRequest _request = new(Prot.All, Prot.None);

    public WindowRun() => Enter(LengthBytes, 1);

    public void Enter() => Enter(0, Pages);

    public void Remove()
    {
        var sink = default(DroppingSink);
        _fixture.Pmap.Remove(0, LengthBytes, _fixture.Frames, ref sink);
    }

    public void Dispose() => _fixture.Dispose();

    private void Enter(ulong gpa, ulong pages)
    {
        var sink = default(DroppingSink);
        PmapStatus status = _fixture.Pmap.EnterRun(gpa, _fixture.FirstHpa + gpa, pages, in _request, _fixture.Frames,
            ref sink, out ulong entered);
        Invariant.Require(status == PmapStatus.Ok);
        Invariant.Require(entered == pages);
    }
}

/// <summary>A run of pages entered into an existing leaf table.</summary>
public sealed class MapWorkload : Workload
{
    private readonly WindowRun _run = new();

    /// <inheritdoc/>
    public override string Operation => "page entered in a run of 511";

    /// <inheritdoc/>
    public override int OperationsPerRun => WindowRun.Pages;

    /// <inheritdoc/>
    public override bool IsReset => true;

    /// <inheritdoc/>
    public override void Run() => _run.Enter();

    /// <inheritdoc/>
    public override void Reset() => _run.Remove();

    /// <inheritdoc/>
    public override void Dispose() => _run.Dispose();
}

/// <summary>A run of pages removed; the leaf table stays.</summary>
public sealed class RemoveWorkload : Workload
{
    private readonly WindowRun _run = new();

    /// <summary>Enters the pages of the first run.</summary>
    public RemoveWorkload() => _run.Enter();

    /// <inheritdoc/>
    public override string Operation => "page removed in a run of 511";

    /// <inheritdoc/>
    public override int OperationsPerRun => WindowRun.Pages;

    /// <inheritdoc/>
    public override bool IsReset => true;

    /// <inheritdoc/>
    public override void Run() => _run.Remove();

    /// <inheritdoc/>
    public override void Reset() => _run.Enter();

    /// <inheritdoc/>
    public override void Dispose() => _run.Dispose();
}

/// <summary>The entries' stores alone.</summary>
public sealed unsafe class MapLimit : Workload
{
    private readonly NativeBlock _block = new((int)Core.Paging.PageBytes);

    /// <inheritdoc/>
    public override string Operation => "a store";

    /// <inheritdoc/>
    public override int OperationsPerRun => WindowRun.Pages;

    /// <inheritdoc/>
    public override void Run()
    {
        ulong* table = (ulong*)_block.Base;
        for (int i = 0; i < WindowRun.Pages; i++) Shared.Store(table + i, ((ulong)i << Core.Paging.PageShift) | 7);
    }

    /// <inheritdoc/>
    public override void Dispose() => _block.Dispose();
}

/// <summary>One locked exchange an entry, without which a bit that hardware sets meanwhile is lost.</summary>
public sealed unsafe class RemoveLimit : Workload
{
    private readonly NativeBlock _block = new((int)Core.Paging.PageBytes);

    /// <inheritdoc/>
    public override string Operation => "a locked exchange";

    /// <inheritdoc/>
    public override int OperationsPerRun => WindowRun.Pages;

    /// <inheritdoc/>
    public override void Run()
    {
        ulong* table = (ulong*)_block.Base;
        for (int i = 0; i < WindowRun.Pages; i++) Shared.Exchange(table + i, 0);
    }

    /// <inheritdoc/>
    public override void Dispose() => _block.Dispose();
}

/// <summary>Mapping and unmapping a run of small pages in one leaf table.</summary>
public class MapBenchmarks
{
    private readonly MapWorkload _map = new();
    private readonly MapLimit _mapLimit = new();
    private readonly RemoveLimit _removeLimit = new();

    /// <summary>The leaf table exists and is in the nearest cache; no page was accessed in between.</summary>
    [Benchmark(OperationsPerInvoke = WindowRun.Pages)]
    public void EnterRunAndRemove()
    {
        _map.Run();
        _map.Reset();
    }

    /// <summary>The stores and exchanges alone.</summary>
    [Benchmark(OperationsPerInvoke = WindowRun.Pages, Baseline = true)]
    public void Limit()
    {
        _mapLimit.Run();
        _removeLimit.Run();
    }

    /// <summary>Frees the memory.</summary>
    [GlobalCleanup]
    public void Cleanup()
    {
        _map.Dispose();
        _mapLimit.Dispose();
        _removeLimit.Dispose();
    }
}
