using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using Pagoda.Core;
using Pagoda.Perf.Gate;
using Pagoda.Physical;

namespace Pagoda.Perf.Physical;

/// <summary>Frames taken zeroed, used and given back, in the round trip of a guest that comes and goes.</summary>
public sealed unsafe class FrameWorkload : Workload
{
    /// <summary>Frames in use at once: 8 MiB, more than stays in the nearest caches.</summary>
    public const int Frames = 2048;

    private const ulong ArenaBytes = 32UL << 20;
    private readonly Arena _arena = new(new ArenaOptions { Bytes = ArenaBytes, Prefault = true });
    private readonly FrameCache _cache;
    private readonly uint[] _taken = new uint[Frames];

    /// <summary>Makes the arena.</summary>
    public FrameWorkload() => _cache = new FrameCache(_arena);

    /// <inheritdoc/>
    public override string Operation => "zeroed frame taken, used, given back";

    /// <inheritdoc/>
    public override int OperationsPerRun => Frames;

    /// <inheritdoc/>
    public override void Run()
    {
        FrameTable frames = _arena.Frames;
        for (int i = 0; i < Frames; i++)
        {
            Invariant.Require(_cache.TryTake(out uint pfn));
            frames.ToPage(pfn, 1, (uint)i);
            _taken[i] = pfn;
        }
        for (int i = 0; i < Frames; i++) _cache.Give(_taken[i]);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _cache.Dispose();
        _arena.Dispose();
    }
}

/// <summary>The zeroing alone, by the C library's memset.</summary>
public sealed unsafe class FrameLimit : Workload
{
    private readonly NativeBlock _block = new(FrameWorkload.Frames * (int)Core.Paging.PageBytes);

    /// <inheritdoc/>
    public override string Operation => "memset of a page";

    /// <inheritdoc/>
    public override int OperationsPerRun => FrameWorkload.Frames;

    /// <inheritdoc/>
    public override void Run()
    {
        for (int i = 0; i < FrameWorkload.Frames; i++)
        {
            NativeMemory.Clear(_block.Base + (nuint)i * (nuint)Core.Paging.PageBytes, (nuint)Core.Paging.PageBytes);
        }
    }

    /// <inheritdoc/>
    public override void Dispose() => _block.Dispose();
}

/// <summary>What a page of memory costs before anybody maps it.</summary>
public class FrameBenchmarks
{
    private readonly FrameWorkload _frames = new();
    private readonly FrameLimit _limit = new();

    /// <summary>Every frame is dirty when it comes back, so each is zeroed once a round.</summary>
    [Benchmark(OperationsPerInvoke = FrameWorkload.Frames)]
    public void TakeUseGive() => _frames.Run();

    /// <summary>The zeroing alone.</summary>
    [Benchmark(OperationsPerInvoke = FrameWorkload.Frames, Baseline = true)]
    public void Limit() => _limit.Run();

    /// <summary>Frees the memory.</summary>
    [GlobalCleanup]
    public void Cleanup()
    {
        _frames.Dispose();
        _limit.Dispose();
    }
}
