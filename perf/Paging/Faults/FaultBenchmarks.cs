using BenchmarkDotNet.Attributes;
using Pagoda.Core;
using Pagoda.Perf.Gate;

namespace Pagoda.Perf.Faults;

/// <summary>First touches: every page gets a zeroed frame, its table entry and its page word.</summary>
public sealed class TouchWorkload : Workload
{
    private readonly GuestFixture _fixture = new();

    /// <inheritdoc/>
    public override string Operation => "first write of a page, 64 a batch";

    /// <inheritdoc/>
    public override int OperationsPerRun => GuestFixture.Pages;

    /// <inheritdoc/>
    public override bool IsReset => true;

    /// <inheritdoc/>
    public override void Run() => _fixture.FaultAll();

    /// <inheritdoc/>
    public override void Reset() => _fixture.Empty();

    /// <inheritdoc/>
    public override void Dispose() => _fixture.Dispose();
}

/// <summary>Faults of pages that are in memory and in no table.</summary>
public sealed class FaultWorkload : Workload
{
    private readonly GuestFixture _fixture = new();

    /// <summary>Brings every page in.</summary>
    public FaultWorkload()
    {
        _fixture.FaultAll();
        Reset();
    }

    /// <inheritdoc/>
    public override string Operation => "fault of a resident page, 64 a batch";

    /// <inheritdoc/>
    public override int OperationsPerRun => GuestFixture.Pages;

    /// <inheritdoc/>
    public override bool IsReset => true;

    /// <inheritdoc/>
    public override void Run() => _fixture.FaultAll();

    /// <inheritdoc/>
    public override void Reset() => _fixture.UnmapTables();

    /// <inheritdoc/>
    public override void Dispose() => _fixture.Dispose();
}

/// <summary>The same faults, each a batch of its own.</summary>
public sealed class SingleFaultWorkload : Workload
{
    private readonly GuestFixture _fixture = new();

    /// <summary>Brings every page in.</summary>
    public SingleFaultWorkload()
    {
        _fixture.FaultAll();
        Reset();
    }

    /// <inheritdoc/>
    public override string Operation => "fault of a resident page, alone";

    /// <inheritdoc/>
    public override int OperationsPerRun => GuestFixture.Pages;

    /// <inheritdoc/>
    public override bool IsReset => true;

    /// <inheritdoc/>
    public override void Run() => _fixture.FaultEach();

    /// <inheritdoc/>
    public override void Reset() => _fixture.UnmapTables();

    /// <inheritdoc/>
    public override void Dispose() => _fixture.Dispose();
}

/// <summary>
/// What a fault cannot do without: its page's word, its frame's record and its entry, each a locked step.
/// </summary>
public sealed unsafe class FaultLimit : Workload
{
    private const int ColumnBytes = GuestFixture.Pages * 16;
    private readonly NativeBlock _words = new(ColumnBytes);
    private readonly NativeBlock _records = new(ColumnBytes);
    private readonly NativeBlock _entries = new(ColumnBytes);

    /// <inheritdoc/>
    public override string Operation => "three locked operations on three columns";

    /// <inheritdoc/>
    public override int OperationsPerRun => GuestFixture.Pages;

    /// <inheritdoc/>
    public override void Run()
    {
        ulong* words = (ulong*)_words.Base;
        ulong* records = (ulong*)_records.Base;
        ulong* entries = (ulong*)_entries.Base;
        for (int page = 0; page < GuestFixture.Pages; page++)
        {
            Shared.Exchange(words + page, 1);
            Shared.Or(records + 2 * page, 1);
            Shared.Exchange(entries + page, 1);
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _words.Dispose();
        _records.Dispose();
        _entries.Dispose();
    }
}

/// <summary>Nested faults of a guest of 8 MiB.</summary>
public class FaultBenchmarks
{
    private readonly FaultWorkload _batched = new();
    private readonly SingleFaultWorkload _single = new();
    private readonly TouchWorkload _touch = new();

    /// <summary>Undoes the faults before each invocation.</summary>
    [IterationSetup]
    public void Reset()
    {
        _batched.Reset();
        _single.Reset();
        _touch.Reset();
    }

    /// <summary>Neighbouring resident pages, 64 a batch.</summary>
    [Benchmark(OperationsPerInvoke = GuestFixture.Pages, Baseline = true)]
    public void Batched() => _batched.Run();

    /// <summary>Resident pages one by one.</summary>
    [Benchmark(OperationsPerInvoke = GuestFixture.Pages)]
    public void Single() => _single.Run();

    /// <summary>Pages that nobody touched before.</summary>
    [Benchmark(OperationsPerInvoke = GuestFixture.Pages)]
    public void FirstTouch() => _touch.Run();

    /// <summary>Frees the memory.</summary>
    [GlobalCleanup]
    public void Cleanup()
    {
        _batched.Dispose();
        _single.Dispose();
        _touch.Dispose();
    }
}
