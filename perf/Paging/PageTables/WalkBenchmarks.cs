using System;
using BenchmarkDotNet.Attributes;
using Pagoda.Core;
using Pagoda.PageTables;
using Pagoda.Perf.Gate;

namespace Pagoda.Perf.PageTables;

/// <summary>A hardware walk of four levels, with every check, of pages spread over one leaf table.</summary>
public sealed unsafe class WalkWorkload : Workload
{
    private const int PhysBits = 46;
    private readonly WalkTables _tables = new();
    private readonly WalkFormat _format;
    private ArenaMemory _memory;

    /// <summary>Builds the tables.</summary>
    public WalkWorkload()
    {
        _format = WalkFormat.ForEpt(WalkTables.RootRegister, PhysBits);
        _memory = new ArenaMemory(_tables.Base, WalkTables.Bytes);
    }

    /// <inheritdoc/>
    public override string Operation => "EPT walk, 4 levels, every check";

    /// <inheritdoc/>
    public override int OperationsPerRun => WalkTables.Lanes;

    /// <summary>The last address found, so that the walks are needed.</summary>
    public ulong Last { get; private set; }

    /// <inheritdoc/>
    public override void Run()
    {
        ulong sum = 0;
        for (int lane = 0; lane < WalkTables.Lanes; lane++)
        {
            Walker.Walk(ref _memory, in _format, WalkTables.GpaOf(lane), Prot.Read, user: false, WalkKind.FinalAccess,
                out WalkResult result);
            sum += result.Hpa;
        }
        Last = sum;
    }

    /// <inheritdoc/>
    public override void Dispose() => _tables.Dispose();
}

/// <summary>The same translations by four loads, each from where the one before points, and no check.</summary>
public sealed unsafe class WalkLimit : Workload
{
    private readonly WalkTables _tables = new();

    /// <inheritdoc/>
    public override string Operation => "4 dependent loads";

    /// <inheritdoc/>
    public override int OperationsPerRun => WalkTables.Lanes;

    /// <summary>The last address found, so that the walks are needed.</summary>
    public ulong Last { get; private set; }

    /// <inheritdoc/>
    public override void Run()
    {
        byte* memory = _tables.Base;
        ulong sum = 0;
        for (int lane = 0; lane < WalkTables.Lanes; lane++)
        {
            ulong gpa = WalkTables.GpaOf(lane);
            ulong entry = WalkTables.RootRegister;
            for (int shift = 39; shift >= 12; shift -= 9)
            {
                entry = *(ulong*)(memory + (entry & WalkTables.FrameMask) + ((gpa >> shift) & 511) * sizeof(ulong));
            }
            sum += entry & WalkTables.FrameMask;
        }
        Last = sum;
    }

    /// <inheritdoc/>
    public override void Dispose() => _tables.Dispose();
}

/// <summary>EPT tables of 512 pages from GPA 0, written bit by bit as the SDM draws them.</summary>
internal sealed unsafe class WalkTables : IDisposable
{
    /// <summary>Translations of one run.</summary>
    public const int Lanes = 64;

    /// <summary>Bytes of the four tables.</summary>
    public const int Bytes = 4 * 4096;

    /// <summary>The bits of an entry that hold an address.</summary>
    public const ulong FrameMask = 0x3FFF_FFFF_F000;

    /// <summary>EPTP: write-back, four levels, accessed and dirty bits on, the root at 0.</summary>
    public const ulong RootRegister = 6 | (3 << 3) | (1 << 6);

    private const ulong TableRights = 7;
    private const ulong LeafBits = 7 | (6 << 3) | (1 << 8) | (1 << 9);
    private const ulong FirstHpa = 1UL << 30;

    private readonly NativeBlock _block = new(Bytes);

    public WalkTables()
    {
        for (int table = 0; table < 3; table++)
        {
            *(ulong*)(Base + table * 4096) = (ulong)(table + 1) * 4096 | TableRights;
        }
        ulong* leaves = (ulong*)(Base + 3 * 4096);
        for (int i = 0; i < 512; i++) leaves[i] = (FirstHpa + (ulong)i * 4096) | LeafBits;
    }

    public byte* Base => _block.Base;

    /// <summary>Eight pages apart: each lane has a cache line of the leaf table to itself.</summary>
    public static ulong GpaOf(int lane) => (ulong)lane << 15;

    public void Dispose() => _block.Dispose();
}

/// <summary>What the processor's walk costs in software; the software TLB's slow path.</summary>
public class WalkBenchmarks
{
    private readonly WalkWorkload _walk = new();
    private readonly WalkLimit _limit = new();

    /// <summary>Every lane's leaf is accessed and dirty already: no update.</summary>
    [Benchmark(OperationsPerInvoke = WalkTables.Lanes)]
    public void Walk() => _walk.Run();

    /// <summary>The loads alone.</summary>
    [Benchmark(OperationsPerInvoke = WalkTables.Lanes, Baseline = true)]
    public void Limit() => _limit.Run();

    /// <summary>Frees the tables.</summary>
    [GlobalCleanup]
    public void Cleanup()
    {
        _walk.Dispose();
        _limit.Dispose();
    }
}
