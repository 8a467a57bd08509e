using System;
using BenchmarkDotNet.Attributes;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.Perf.Gate;
using Pagoda.Physical;

namespace Pagoda.Perf.Faults;

/// <summary>The first write to each of some windows, which maps 2 MiB by one leaf.</summary>
public sealed class PopulateWorkload : Workload
{
    /// <summary>
    /// Windows of one run: enough that what the system takes for the first touch of an object's index, once a GiB, does
    /// not count.
    /// </summary>
    public const int Windows = 64;

    /// <summary>Room for the pages, their index and tables.</summary>
    public const ulong ArenaBytes = 160UL << 20;

    private const ulong MemoryBytes = Windows * Core.Paging.WindowBytes;
    private readonly Arena _arena = new(new ArenaOptions { Bytes = ArenaBytes, Prefault = true });
    private readonly Guest _guest;
    private readonly GuestConsumer _consumer;

    /// <summary>Makes the guest.</summary>
    public PopulateWorkload()
    {
        _guest = new Guest(_arena, new GuestOptions { Policy = SuperpagePolicy.Superpage });
        _guest.MapMemory(new Gpa(0), MemoryBytes);
        _consumer = _guest.AddConsumer();
    }

    /// <inheritdoc/>
    public override string Operation => "2 MiB populated by one fault";

    /// <inheritdoc/>
    public override int OperationsPerRun => Windows;

    /// <inheritdoc/>
    public override bool IsReset => true;

    /// <inheritdoc/>
    public override void Run()
    {
        for (ulong gpa = 0; gpa < MemoryBytes; gpa += Core.Paging.WindowBytes)
        {
            FaultStatus status = _consumer.Fault(gpa, Prot.Write, out _);
            Invariant.Require(status == FaultStatus.Resolved);
        }
    }

    /// <inheritdoc/>
    public override void Reset()
    {
        _guest.Unmap(new Gpa(0), MemoryBytes);
        _guest.MapMemory(new Gpa(0), MemoryBytes);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _consumer.Dispose();
        _guest.Dispose();
        _arena.Dispose();
    }
}

/// <summary>The zeroing alone, by streaming stores, in memory of the same kind.</summary>
public sealed unsafe class PopulateLimit : Workload
{
    private readonly Arena _arena = new(new ArenaOptions { Bytes = PopulateWorkload.ArenaBytes, Prefault = true });

    /// <inheritdoc/>
    public override string Operation => "2 MiB zeroed by streaming stores";

    /// <inheritdoc/>
    public override int OperationsPerRun => PopulateWorkload.Windows;

    /// <inheritdoc/>
    public override void Run()
    {
        for (ulong window = 0; window < PopulateWorkload.Windows; window++)
        {
            byte* first = _arena.DirectMap((window + 1) * Core.Paging.WindowBytes);
            PageZeroing.ZeroStreaming(first, Core.Paging.WindowPages);
            Shared.StoreFence();
        }
    }

    /// <inheritdoc/>
    public override void Dispose() => _arena.Dispose();
}

/// <summary>Superpages made by one fault.</summary>
public class PopulateBenchmarks
{
    private readonly PopulateWorkload _populate = new();
    private readonly PopulateLimit _limit = new();

    /// <summary>Populating, and giving it all back.</summary>
    [Benchmark(OperationsPerInvoke = PopulateWorkload.Windows)]
    public void PopulateAndUnmap()
    {
        _populate.Run();
        _populate.Reset();
    }

    /// <summary>Zeroing.</summary>
    [Benchmark(OperationsPerInvoke = PopulateWorkload.Windows, Baseline = true)]
    public void Limit() => _limit.Run();

    /// <summary>Frees the memory.</summary>
    [GlobalCleanup]
    public void Cleanup()
    {
        _populate.Dispose();
        _limit.Dispose();
    }
}
