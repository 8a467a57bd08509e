using System;
using BenchmarkDotNet.Attributes;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.Pagers;
using Pagoda.Perf.Gate;
using Pagoda.Physical;
using Pagoda.Reclaim;

namespace Pagoda.Perf.Reclaim;

/// <summary>A pager that says that everything is stored and reads nothing: what is left is bookkeeping.</summary>
internal sealed class IdlePager : IPager
{
    public void Read(in PagerBatch batch) => batch.Status.Clear();

    public void Write(in PagerBatch batch) => batch.Status.Clear();

    public void Discard(ReadOnlySpan<ulong> pages)
    {
    }
}

/// <summary>
/// Dirty pages taken out of a guest: chosen, unmapped, let go by the consumers, stored by nobody, freed.
/// </summary>
public sealed class EvictWorkload : Workload
{
    private const int Pages = 2048;
    private const int Lanes = 64;
    private readonly Arena _arena = new(new ArenaOptions { Bytes = 32UL << 20, Prefault = true });
    private readonly PageDaemon _daemon;
    private readonly Guest _guest;
    private readonly VmObject _memory;
    private readonly GuestConsumer _consumer;
    private readonly ulong[] _gpa = new ulong[Lanes];
    private readonly Prot[] _access = new Prot[Lanes];
    private readonly ulong[] _hpa = new ulong[Lanes];
    private readonly FaultStatus[] _status = new FaultStatus[Lanes];

    /// <summary>Makes the guest and writes every page.</summary>
    public EvictWorkload()
    {
        _daemon = new PageDaemon(_arena, new PageDaemonOptions());
        _guest = new Guest(_arena, new GuestOptions { Superpages = false });
        _memory = new VmObject(_arena, Pages * Core.Paging.PageBytes, new IdlePager());
        _guest.MapObject(new Gpa(0), _memory, 0, Pages * Core.Paging.PageBytes);
        _consumer = _guest.AddConsumer();
        Array.Fill(_access, Prot.Write);
        Reset();
    }

    /// <inheritdoc/>
    public override string Operation => "dirty page evicted, its pager idle";

    /// <inheritdoc/>
    public override int OperationsPerRun => Pages;

    /// <inheritdoc/>
    public override bool IsReset => true;

    /// <inheritdoc/>
    public override void Run()
    {
        ReclaimResult result = _daemon.Reclaim(Pages);
        Invariant.Require(result.Freed == Pages);
    }

    /// <inheritdoc/>
    public override void Reset()
    {
        for (int page = 0; page < Pages; page += Lanes)
        {
            for (int lane = 0; lane < Lanes; lane++) _gpa[lane] = (ulong)(page + lane) << Core.Paging.PageShift;
            int resolved = _consumer.Fault(new FaultBatch(_gpa, _access, _hpa, _status));
            Invariant.Require(resolved == Lanes);
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _consumer.Dispose();
        _guest.Dispose();
        _memory.Dispose();
        _daemon.Dispose();
        _arena.Dispose();
    }
}

/// <summary>
/// What nobody can leave out: the entry's exchange, the page word to and fro, the dirty flag set and taken, the owner
/// taken from the hold word and the bit back; one line each of word, record and entry.
/// </summary>
public sealed unsafe class EvictLimit : Workload
{
    private const int Pages = 2048;
    private const int Operations = 7;
    private readonly NativeBlock _block = new(Pages * (8 + 8 + 16));

    /// <inheritdoc/>
    public override string Operation => "seven locked operations on three lines";

    /// <inheritdoc/>
    public override int OperationsPerRun => Pages;

    /// <inheritdoc/>
    public override void Run()
    {
        ulong* entries = (ulong*)_block.Base;
        ulong* words = entries + Pages;
        uint* records = (uint*)(words + Pages);
        for (int i = 0; i < Pages; i++)
        {
            Shared.Exchange(words + i, 5);
            Shared.Exchange(entries + i, 0);
            uint* record = records + 4 * i;
            for (int k = 0; k < Operations - 3; k++) Shared.Or(record + (k >> 1), 1);
            Shared.Exchange(words + i, 4);
        }
    }

    /// <inheritdoc/>
    public override void Dispose() => _block.Dispose();
}

/// <summary>Eviction without I/O.</summary>
public class EvictBenchmarks
{
    private readonly EvictWorkload _workload = new();

    /// <summary>Eviction of every page, and the faults that bring them back.</summary>
    [Benchmark(OperationsPerInvoke = 2048)]
    public void EvictAndFault()
    {
        _workload.Run();
        _workload.Reset();
    }

    /// <summary>Frees the memory.</summary>
    [GlobalCleanup]
    public void Cleanup() => _workload.Dispose();
}
