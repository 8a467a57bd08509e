using System;
using System.Runtime.Intrinsics;
using BenchmarkDotNet.Attributes;
using Pagoda.Core;
using Pagoda.PageTables;
using Pagoda.Perf.Gate;
using Pagoda.Perf.PageTables;

namespace Pagoda.Perf.Reclaim;

/// <summary>64 windows of small pages: 256 KiB of leaf tables, what a second-level cache holds.</summary>
internal sealed unsafe class AgeFixture : IDisposable
{
    /// <summary>Windows.</summary>
    public const int Windows = 64;

    /// <summary>Entries.</summary>
    public const int Entries = Windows * Core.Paging.WindowPages;

    private const ulong LengthBytes = Windows * Core.Paging.WindowBytes;
    private readonly PmapFixture _fixture = new();
    private readonly ulong*[] _tables = new ulong*[Windows];
    private byte _generation;

    public AgeFixture()
    {
        var request = new LeafRequest(Prot.All, Prot.None);
        Span<ulong> path = stackalloc ulong[4];
        for (int window = 0; window < Windows; window++)
        {
            ulong gpa = (ulong)window << Core.Paging.WindowShift;
            var sink = default(DroppingSink);
            // All but the last page, so that no superpage comes of it.
            PmapStatus status = _fixture.Pmap.EnterRun(gpa, _fixture.FirstHpa, Core.Paging.WindowPages - 1, in request,
                _fixture.Frames, ref sink, out _);
            Invariant.Require(status == PmapStatus.Ok);
            _fixture.Pmap.GetMapping(gpa, path);
            _tables[window] = (ulong*)_fixture.Arena.DirectMap(path[2] & _fixture.Pmap.Format.Frame);
        }
    }

    public void Age() => _fixture.Pmap.Age(0, LengthBytes, ++_generation);

    /// <summary>Sets A in every entry, as hardware would have.</summary>
    public void Access()
    {
        ulong accessed = _fixture.Pmap.Format.Accessed;
        foreach (ulong* table in _tables)
        {
            for (int i = 0; i < Core.Paging.WindowPages - 1; i++) table[i] |= accessed;
        }
    }

    /// <summary>Reads every table by vectors, and does nothing else.</summary>
    public ulong Look()
    {
        Vector512<ulong> all = Vector512<ulong>.Zero;
        foreach (ulong* table in _tables)
        {
            for (int i = 0; i < Core.Paging.WindowPages; i += Vector512<ulong>.Count) all |= Vector512.Load(table + i);
        }
        return all[0];
    }

    /// <summary>One locked operation an entry, without which a bit that hardware sets meanwhile is lost.</summary>
    public void Clear()
    {
        foreach (ulong* table in _tables)
        {
            for (int i = 0; i < Core.Paging.WindowPages; i++)
            {
                ulong entry = Shared.Load(table + i);
                Shared.CompareExchange(table + i, entry, entry);
            }
        }
    }

    public void Dispose() => _fixture.Dispose();
}

/// <summary>A sweep over entries that nobody used.</summary>
public sealed class AgeCleanWorkload : Workload
{
    private readonly AgeFixture _fixture = new();

    /// <inheritdoc/>
    public override string Operation => "entry swept whose page was idle";

    /// <inheritdoc/>
    public override int OperationsPerRun => AgeFixture.Entries;

    /// <inheritdoc/>
    public override void Run() => _fixture.Age();

    /// <inheritdoc/>
    public override void Dispose() => _fixture.Dispose();
}

/// <summary>A sweep over entries that all have the accessed bit.</summary>
public sealed class AgeUsedWorkload : Workload
{
    private readonly AgeFixture _fixture = new();

    /// <summary>Sets every bit for the first run.</summary>
    public AgeUsedWorkload() => _fixture.Access();

    /// <inheritdoc/>
    public override string Operation => "entry swept whose page was used";

    /// <inheritdoc/>
    public override int OperationsPerRun => AgeFixture.Entries;

    /// <inheritdoc/>
    public override bool IsReset => true;

    /// <inheritdoc/>
    public override void Run() => _fixture.Age();

    /// <inheritdoc/>
    public override void Reset() => _fixture.Access();

    /// <inheritdoc/>
    public override void Dispose() => _fixture.Dispose();
}

/// <summary>The vector loads alone.</summary>
public sealed class AgeCleanLimit : Workload
{
    private readonly AgeFixture _fixture = new();
    private ulong _all;

    /// <inheritdoc/>
    public override string Operation => "an eighth of a vector load";

    /// <inheritdoc/>
    public override int OperationsPerRun => AgeFixture.Entries;

    /// <inheritdoc/>
    public override void Run() => _all |= _fixture.Look();

    /// <inheritdoc/>
    public override void Dispose() => _fixture.Dispose();
}

/// <summary>The locked operations alone.</summary>
public sealed class AgeUsedLimit : Workload
{
    private readonly AgeFixture _fixture = new();

    /// <inheritdoc/>
    public override string Operation => "a locked compare and exchange";

    /// <inheritdoc/>
    public override int OperationsPerRun => AgeFixture.Entries;

    /// <inheritdoc/>
    public override void Run() => _fixture.Clear();

    /// <inheritdoc/>
    public override void Dispose() => _fixture.Dispose();
}

/// <summary>Sweeps of leaf tables that lie in the second-level cache.</summary>
public class AgeBenchmarks
{
    private readonly AgeCleanWorkload _clean = new();
    private readonly AgeUsedWorkload _used = new();

    /// <summary>No entry has the accessed bit: the sweep reads, and does nothing else.</summary>
    [Benchmark(OperationsPerInvoke = AgeFixture.Entries)]
    public void Clean() => _clean.Run();

    /// <summary>Every entry has it; setting it again is part of the time.</summary>
    [Benchmark(OperationsPerInvoke = AgeFixture.Entries)]
    public void UsedAndUsedAgain()
    {
        _used.Run();
        _used.Reset();
    }

    /// <summary>Frees the memory.</summary>
    [GlobalCleanup]
    public void Cleanup()
    {
        _clean.Dispose();
        _used.Dispose();
    }
}
