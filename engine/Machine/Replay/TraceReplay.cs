using System;
using System.Runtime.InteropServices;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Pagers;
using Pagoda.Physical;
using Pagoda.Reclaim;
using Pagoda.Tlb;

namespace Pagoda.Machine.Replay;

/// <summary>
/// Replays a trace of memory accesses in a guest: every access goes through a software TLB and the nested tables, and
/// reads or writes real bytes.
/// </summary>
/// <remarks>
/// The trace's pages become the guest's in the order of their first touch, as if an operating system gave its program
/// frames in that order. Instructions and data have a TLB each, as processors have. One host thread; the page daemon is
/// stepped between turns, so that two replays agree in everything but time.
/// </remarks>
public sealed unsafe partial class TraceReplay : IDisposable
{
    /// <summary>The least of <see cref="ReplayOptions.ResidentBytes"/>.</summary>
    public const ulong ResidentBytesMin = 256UL << 10;

    private const int RecordsMax = 4096;

    // A window's table and the words of its pages; the consumer's stock of frames and the upper tables.
    private const ulong FramesPerWindow = 2;
    private const ulong FramesBesides = FrameCache.RefillMax + 16;

    private readonly ReplayOptions _options;
    private readonly TracePages _pages;
    private readonly WorkingSet _workingSet;
    private readonly TraceRecord* _records;
    private readonly byte* _mapped;
    private readonly byte* _shadow;
    private readonly SoftTlb _code = new();
    private readonly SoftTlb _data = new();
    private readonly Arena _arena = null!;
    private readonly MemoryBudget? _budget;
    private readonly Guest _guest = null!;
    private readonly GuestConsumer _consumer = null!;

    /// <summary>Makes the guest.</summary>
    /// <param name="options">What it is made of.</param>
    /// <exception cref="MachineException">A size cannot be had, or does not fit another.</exception>
    /// <exception cref="SwapException">The swap file cannot be used.</exception>
    public TraceReplay(ReplayOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.ArenaBytes < options.MemoryBytes)
        {
            throw new MachineException(MachineSubject.Arena, "the arena is smaller than the guest's memory; enlarge "
                + "it.");
        }
        MemoryBudget.RequireSense(options.MemoryBytes, options.ResidentBytes, ResidentBytesMin, options.Swap);
        MemoryBudget.RequireSense(options.Policy, options.Superpages);
        _options = options;
        uint pages = checked((uint)(options.MemoryBytes >> Paging.PageShift));
        _pages = new TracePages(pages);
        _workingSet = new WorkingSet(pages);
        _records = (TraceRecord*)NativeMemory.AllocZeroed(RecordsMax, (nuint)sizeof(TraceRecord));
        _mapped = (byte*)NativeMemory.AllocZeroed(pages);
        if (options.Verify) _shadow = (byte*)NativeMemory.AllocZeroed((nuint)options.MemoryBytes);
        bool complete = false;
        try
        {
            _arena = new Arena(new ArenaOptions { Bytes = options.ArenaBytes, PhysBits = CpuidModel.PhysBits });
            if (options.Swap is not null) _budget = MakeBudget(_arena, options);
            _guest = new Guest(_arena, new GuestOptions
            {
                Tables = options.Tables,
                HardwareAd = options.HardwareAd,
                Superpages = options.Superpages,
                Policy = options.Policy,
                Swap = _budget?.Space,
            });
            _guest.MapMemory(new Gpa(0), options.MemoryBytes);
            _consumer = _guest.AddConsumer();
            complete = true;
        }
        finally
        {
            if (!complete) Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _consumer?.Dispose();
        _guest?.Dispose();
        _budget?.Dispose();
        _arena?.Dispose();
        _code.Dispose();
        _data.Dispose();
        _pages.Dispose();
        _workingSet.Dispose();
        NativeMemory.Free(_records);
        NativeMemory.Free(_mapped);
        NativeMemory.Free(_shadow);
    }

    // What is asked for is for the pages alone; the daemon counts all frames. Nothing is freed ahead of need, which
    // would be so much less for the pages.
    private static MemoryBudget MakeBudget(Arena arena, ReplayOptions options)
    {
        ulong windows = (options.MemoryBytes >> Paging.WindowShift) + 1;
        ulong besides = (FramesBesides + FramesPerWindow * windows) << Paging.PageShift;
        return new MemoryBudget(arena, options.Swap!, options.ResetSwap, options.MemoryBytes, new PageDaemonOptions
        {
            ResidentBytes = options.ResidentBytes + besides, LowBytes = 0, HighBytes = 0,
        });
    }
}
