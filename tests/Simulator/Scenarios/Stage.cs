using System;
using System.Runtime.InteropServices;
using Pagoda.Core;
using Pagoda.Physical;
using Pagoda.Simulator.Checks;
using Pagoda.Simulator.Memory;
using Pagoda.Simulator.Scheduling;

namespace Pagoda.Simulator.Scenarios;

/// <summary>What a scenario is played on: actors, random choices, and memory that is the same for each seed.</summary>
internal sealed unsafe class Stage(Scheduler scheduler)
{
    private const int CellsMax = 64;
    private const int CellBytes = 64;
    private const int FramesMax = 3 * Paging.EntriesPerTable;

    // Of the worker, never freed: the memory of the next schedule.
    private readonly byte* _frames =
        (byte*)NativeMemory.AlignedAlloc(FramesMax * (nuint)Paging.PageBytes, (nuint)Paging.WindowBytes);

    private readonly Scheduler _scheduler = scheduler;
    private Policy _policy = null!;
    private byte* _cells;
    private int _cellCount;
    private ulong _seed;

    /// <summary>Choices of the scenario, made before it plays.</summary>
    public Rng Choices;

    public Scheduler Scheduler => _scheduler;

    public FrameWatch Watch => _scheduler.Watch;

    public MemoryMode Mode => _scheduler.Mode;

    /// <summary>A schedule begins.</summary>
    public void Begin(ulong seed, Policy policy)
    {
        _seed = seed;
        _policy = policy;
        _cellCount = 0;
        _scheduler.Stock.Reset();
        RegionStock.Current = _scheduler.Stock;
        _cells = _scheduler.Stock.Take(CellsMax * CellBytes);
        Choices = new Rng(seed);
    }

    /// <summary>A schedule is over.</summary>
    public void End() => _scheduler.Watch.Detach();

    /// <summary>Choices of one actor, which do not depend on the others.</summary>
    public Rng ChoicesOf(int actor) => new(_seed + (ulong)(actor + 1) * 0x9E37_79B9);

    /// <summary>A shared cell of 8 bytes in a line of its own, zero.</summary>
    public ulong* Cell()
    {
        if (_cellCount == CellsMax) throw new InvalidOperationException("No cell is left.");
        ulong* cell = (ulong*)(_cells + CellBytes * _cellCount++);
        *cell = 0;
        return cell;
    }

    /// <summary>A watched arena of so many frames, whose memory holds a pattern.</summary>
    public Arena Arena(int frames)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(frames, FramesMax);
        for (int frame = 0; frame < frames; frame++) Spoil(_frames + frame * (nint)Paging.PageBytes);
        var arena = new Arena(new ArenaOptions
        {
            Bytes = (ulong)frames << Paging.PageShift,
            Backing = ArenaBacking.Caller,
            CallerMemory = (nint)_frames,
        });
        _scheduler.Watch.Attach(arena);
        _scheduler.Log?.Attach(arena);
        return arena;
    }

    // A frame whose first word still is the pattern was not used by the schedule before: uses begin with zeros there.
    private static void Spoil(byte* frame)
    {
        const ulong Pattern = FrameWatch.Poison * 0x0101_0101_0101_0101UL;
        if (*(ulong*)frame != Pattern) NativeMemory.Fill(frame, (nuint)Paging.PageBytes, FrameWatch.Poison);
    }

    /// <summary>Adds an actor; its number.</summary>
    public int Add(string name, Action body) => _scheduler.Add(name, body);

    /// <summary>Plays the actors to their ends.</summary>
    public void Play()
    {
        _scheduler.Run(_policy);
        if (_scheduler.Failure is { } failure) throw new ViolationException(failure);
    }

    /// <summary>The calling actor lets others run, if the policy likes.</summary>
    public void Yield() => _scheduler.Point(SimThread.Current!);

    /// <summary>A line of the log, if there is one.</summary>
    public void Note(string text) => _scheduler.Log?.Note(SimThread.Current, text);

    /// <summary>States what must hold.</summary>
    public void Require(bool condition, string message)
    {
        if (!condition) _scheduler.Fail(message);
    }

    /// <summary>A processor's plain accesses, for actors that stand for hardware or devices.</summary>
    public static ulong Load(ulong* cell) => Shared.Load(cell);

    public static void StorePlain(ulong* cell, ulong value) => Shared.StorePlain(cell, value);
}
