using BenchmarkDotNet.Attributes;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.GuestAccess;
using Pagoda.Perf.Gate;

namespace Pagoda.Perf.GuestAccess;

/// <summary>Resident pages held for reading and released, one call each.</summary>
public sealed class HoldWorkload : Workload
{
    private readonly GuestFixture _fixture = new();
    private readonly GuestSpan[] _span = new GuestSpan[1];

    /// <summary>Brings every page in.</summary>
    public HoldWorkload() => _fixture.FaultAll();

    /// <inheritdoc/>
    public override string Operation => "page held and released";

    /// <inheritdoc/>
    public override int OperationsPerRun => GuestFixture.Lanes;

    /// <inheritdoc/>
    public override void Run()
    {
        GuestConsumer consumer = _fixture.Consumer;
        for (int lane = 0; lane < GuestFixture.Lanes; lane++)
        {
            FaultStatus status = consumer.Hold(new Gpa((ulong)lane << Core.Paging.PageShift), Core.Paging.PageBytes,
                Prot.Read, _span, out _);
            Invariant.Require(status == FaultStatus.Resolved);
            consumer.Release(_span);
        }
    }

    /// <inheritdoc/>
    public override void Dispose() => _fixture.Dispose();
}

/// <summary>Resident pages held for reading and released, 64 a batch.</summary>
public sealed class HoldBatchWorkload : Workload
{
    private readonly GuestFixture _fixture = new();
    private readonly ulong[] _gpa = new ulong[GuestFixture.Lanes];
    private readonly nint[] _pointer = new nint[GuestFixture.Lanes];
    private readonly FaultStatus[] _status = new FaultStatus[GuestFixture.Lanes];

    /// <summary>Brings every page in.</summary>
    public HoldBatchWorkload()
    {
        _fixture.FaultAll();
        for (int lane = 0; lane < GuestFixture.Lanes; lane++) _gpa[lane] = (ulong)lane << Core.Paging.PageShift;
    }

    /// <inheritdoc/>
    public override string Operation => "page held and released, 64 a batch";

    /// <inheritdoc/>
    public override int OperationsPerRun => GuestFixture.Lanes;

    /// <inheritdoc/>
    public override void Run()
    {
        GuestConsumer consumer = _fixture.Consumer;
        int held = consumer.HoldBatch(_gpa, Prot.Read, _pointer, _status);
        Invariant.Require(held == GuestFixture.Lanes);
        consumer.ReleaseBatch(_pointer, Prot.Read);
    }

    /// <inheritdoc/>
    public override void Dispose() => _fixture.Dispose();
}

/// <summary>The count up and down.</summary>
public sealed unsafe class HoldLimit : Workload
{
    private const int RecordBytes = 16;
    private readonly NativeBlock _records = new(GuestFixture.Lanes * RecordBytes);

    /// <inheritdoc/>
    public override string Operation => "two locked additions";

    /// <inheritdoc/>
    public override int OperationsPerRun => GuestFixture.Lanes;

    /// <inheritdoc/>
    public override void Run()
    {
        for (int lane = 0; lane < GuestFixture.Lanes; lane++)
        {
            uint* count = (uint*)(_records.Base + lane * RecordBytes);
            Shared.Increment(count);
            Shared.Decrement(count);
        }
    }

    /// <inheritdoc/>
    public override void Dispose() => _records.Dispose();
}

/// <summary>The host's way into guest memory.</summary>
public class HoldBenchmarks
{
    private readonly HoldWorkload _single = new();
    private readonly HoldBatchWorkload _batch = new();
    private readonly HoldLimit _limit = new();

    /// <summary>One page a call: enter, walk, count, exit; and the release.</summary>
    [Benchmark(OperationsPerInvoke = GuestFixture.Lanes)]
    public void Single() => _single.Run();

    /// <summary>64 pages a call.</summary>
    [Benchmark(OperationsPerInvoke = GuestFixture.Lanes)]
    public void Batch() => _batch.Run();

    /// <summary>The counts alone.</summary>
    [Benchmark(OperationsPerInvoke = GuestFixture.Lanes, Baseline = true)]
    public void Limit() => _limit.Run();

    /// <summary>Frees the memory.</summary>
    [GlobalCleanup]
    public void Cleanup()
    {
        _single.Dispose();
        _batch.Dispose();
        _limit.Dispose();
    }
}
