using System;
using System.Collections.Generic;
using System.IO;
using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Diagnostics;
using Pagoda.GuestAccess;
using Pagoda.Pagers;
using Pagoda.Physical;
using Pagoda.Reclaim;
using Pagoda.Tests.Pagers;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Reclaim;

/// <summary>
/// Two guests with private memory and one object that both show, one of them twice, over a swap file; a shadow of every
/// byte; random operations. Frames and slots together are fewer than pages, so both run dry again and again.
/// </summary>
internal sealed partial class SwapModel : IPressureListener, IDisposable
{
    internal const ulong PageBytes = 4096;
    internal const ulong SharedPages = 96;
    internal const ulong PrivatePages = 160;
    private const int Guests = 2;
    private const ulong PrivateStart = 1UL << 20;
    private const ulong DiscardPages = 48;

    // The second guest shows the object at one place, the first at two; one of them lies across a window's end.
    private static readonly (int Guest, ulong Gpa)[] s_places =
        [(0, 1UL << 30), (0, (1UL << 31) + 512 * 4096 * 5 - 40 * 4096), (1, 1UL << 30)];

    private readonly string _path =
        Path.Combine(TestContext.CurrentContext.WorkDirectory, Guid.NewGuid() + ".swap");
    private readonly GuestFormat _format;
    private readonly SeededGenerator _random;
    private readonly SwapFile? _file;
    private readonly Guest[] _guests = new Guest[Guests];
    private readonly TestVcpu[] _vcpus = new TestVcpu[Guests];
    private readonly VmObject _shared;
    private readonly SwapPager _sharedPager;
    private readonly byte[] _sharedBytes = new byte[SharedPages * PageBytes];
    private readonly byte[][] _privateBytes = new byte[Guests][];
    private readonly bool[][] _privateWritten = new bool[Guests][];
    private readonly List<(int Guest, GuestSpan Span, int At, byte[] Shadow)> _holds = [];
    private readonly byte[] _page = new byte[PageBytes];

    internal SwapModel(GuestFormat format, ulong arenaFrames, ulong residentFrames, uint slots, ulong seed,
        bool isFaulty = false, int threads = 0)
    {
        _format = format;
        _random = new SeededGenerator(seed);
        Arena = new Arena(new ArenaOptions { Bytes = arenaFrames * PageBytes });
        Daemon = new PageDaemon(Arena, new PageDaemonOptions
        {
            ResidentBytes = residentFrames * PageBytes,
            LowBytes = 8 * PageBytes,
            HighBytes = 24 * PageBytes,
            Threads = threads,
            Listener = this,
        });
        if (isFaulty)
        {
            Faults = new FaultyStore(new MemorySwapStore(slots), _random) { FailOneIn = 12, DamagesLeft = 40 };
        }
        else
        {
            _file = new SwapFile(new SwapFileOptions { Path = _path, Bytes = slots * PageBytes });
        }
        Swap = new SwapSpace(Faults ?? (ISwapStore)_file!);
        _sharedPager = new SwapPager(Swap, SharedPages);
        _shared = new VmObject(Arena, SharedPages * PageBytes, _sharedPager);
        for (int i = 0; i < Guests; i++)
        {
            _guests[i] = new Guest(Arena, format.Options(consumers: 1) with { Swap = Swap });
            _vcpus[i] = new TestVcpu(_guests[i]);
            _guests[i].MapMemory(new Gpa(PrivateStart), PrivatePages * PageBytes);
            _privateBytes[i] = new byte[PrivatePages * PageBytes];
            _privateWritten[i] = new bool[PrivatePages];
        }
        foreach ((int guest, ulong gpa) in s_places)
        {
            _guests[guest].MapObject(new Gpa(gpa), _shared, 0, SharedPages * PageBytes);
        }
    }

    internal Arena Arena { get; }

    internal PageDaemon Daemon { get; }

    internal SwapSpace Swap { get; }

    /// <summary>What damages transfers; null for nobody.</summary>
    internal FaultyStore? Faults { get; }

    /// <summary>Faults that found neither a frame nor a slot.</summary>
    internal int Exhaustions { get; private set; }

    /// <summary>How often the host was told that the store is full.</summary>
    internal int SwapFulls { get; private set; }

    /// <summary>How often the host was told that pages cannot be written.</summary>
    internal int WriteErrors { get; private set; }

    /// <summary>Pages that the host was told are lost.</summary>
    internal int Lost { get; private set; }

    /// <summary>Accesses that were told of the loss of their page first.</summary>
    internal int PagerErrors { get; private set; }

    private string Where => _format + ", " + _random;

    public void Pressure(ReclaimResult result)
    {
        if (result.End == ReclaimEnd.SwapFull) SwapFulls++;
        if (result.End == ReclaimEnd.WriteError) WriteErrors++;
    }

    public void PageLost(VmObject memory, ulong page) => Lost++;

    internal ulong Sum(Func<GuestCounters, ulong> counter) =>
        counter(_guests[0].Counters) + counter(_guests[1].Counters);

    internal void Run(int operations)
    {
        for (int i = 0; i < operations; i++)
        {
            Operate();
            if (i % 5_000 == 4_999) CheckAll();
        }
        CheckAll();
        foreach (Guest guest in _guests) guest.Pmap.CheckConsistency();
        Assert.That(Lost, Is.EqualTo(PagerErrors), Where);
        Assert.That(Sum(static counters => counters.PoisonedPages), Is.EqualTo((ulong)Lost), Where);
        Assert.That(Lost, Is.LessThanOrEqualTo(Faults?.DamagedReads ?? 0), Where);
    }

    /// <summary>Ends everything; no frame and no slot may be missing.</summary>
    public void Dispose()
    {
        foreach ((int guest, GuestSpan span, int _, byte[] _) in _holds) _guests[guest].Release([span]);
        for (int i = 0; i < Guests; i++)
        {
            _vcpus[i].Dispose();
            _guests[i].Dispose();
        }
        _shared.Dispose();
        _sharedPager.Dispose();
        // Writers may be about to give frames back whose pages are gone.
        Daemon.Dispose();
        ArenaBalance.AssertWhole(Arena, Where);
        Assert.That(Swap.Slots.Free, Is.EqualTo(Swap.Slots.Capacity), "slots leaked; " + Where);
        Swap.Dispose();
        _file?.Dispose();
        File.Delete(_path);
        Arena.Dispose();
    }
}
