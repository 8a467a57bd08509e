using BenchmarkDotNet.Attributes;
using Pagoda.Core;
using Pagoda.Perf.Gate;
using Pagoda.Tlb;

namespace Pagoda.Perf.Tlb;

/// <summary>A consumer that becomes active, polls once and becomes inactive, with nothing to flush.</summary>
public sealed class EnterWorkload : Workload
{
    /// <summary>Entries of one run.</summary>
    public const int Entries = 64;

    private const int Slots = 256;
    private readonly ConsumerTable _consumers = new(Slots);
    private readonly int _slot;
    private ulong _seen;

    /// <summary>Registers the consumer.</summary>
    public EnterWorkload() => Invariant.Require(_consumers.TryRegister(out _slot));

    /// <inheritdoc/>
    public override string Operation => "consumer entered, polled, exited";

    /// <inheritdoc/>
    public override int OperationsPerRun => Entries;

    /// <summary>Flushes asked for, so that the answers are needed; the first entry asks for one.</summary>
    public int Flushes { get; private set; }

    /// <inheritdoc/>
    public override void Run()
    {
        ConsumerTable consumers = _consumers;
        int slot = _slot;
        ulong seen = _seen;
        int flushes = 0;
        for (int i = 0; i < Entries; i++)
        {
            Invariant.Require(consumers.Enter(slot, ref seen, out bool flush));
            if (flush)
            {
                flushes++;
                consumers.Acknowledge(slot, seen);
            }
            if (consumers.MustFlush(slot, ref seen))
            {
                flushes++;
                consumers.Acknowledge(slot, seen);
            }
            consumers.Exit(slot);
        }
        _seen = seen;
        Flushes += flushes;
    }

    /// <inheritdoc/>
    public override void Dispose() => _consumers.Dispose();
}

/// <summary>The one fence that entry needs, and the store that ends it.</summary>
public sealed unsafe class EnterLimit : Workload
{
    private const int BlockBytes = 4096;
    private readonly NativeBlock _block = new(BlockBytes);

    /// <inheritdoc/>
    public override string Operation => "a locked exchange and a store";

    /// <inheritdoc/>
    public override int OperationsPerRun => EnterWorkload.Entries;

    /// <inheritdoc/>
    public override void Run()
    {
        ulong* word = (ulong*)_block.Base;
        for (int i = 0; i < EnterWorkload.Entries; i++)
        {
            Shared.Exchange(word, 1);
            Shared.Store(word, 0);
        }
    }

    /// <inheritdoc/>
    public override void Dispose() => _block.Dispose();
}

/// <summary>What a vCPU pays to enter the guest and to leave it.</summary>
public class EnterBenchmarks
{
    private readonly EnterWorkload _enter = new();
    private readonly EnterLimit _limit = new();

    /// <summary>No shootdown happens in between, as in nearly every entry.</summary>
    [Benchmark(OperationsPerInvoke = EnterWorkload.Entries)]
    public void EnterPollExit() => _enter.Run();

    /// <summary>The exchange and the store alone.</summary>
    [Benchmark(OperationsPerInvoke = EnterWorkload.Entries, Baseline = true)]
    public void Limit() => _limit.Run();

    /// <summary>Frees the memory.</summary>
    [GlobalCleanup]
    public void Cleanup()
    {
        _enter.Dispose();
        _limit.Dispose();
    }
}
