using System;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.PageTables;
using Pagoda.Physical;
using Pagoda.Tlb;

namespace Pagoda.Perf.Scaling;

/// <summary>A guest, and vCPUs that fault on windows of it.</summary>
internal sealed class ScalingWorld : IDisposable
{
    /// <summary>Pages of a window.</summary>
    public const int PagesPerWindow = 512;

    /// <summary>Faults of a call.</summary>
    public const int Batch = 64;

    /// <summary>
    /// Windows so far apart that no two share a line of their directory, as parts of a guest are that vCPUs work on.
    /// </summary>
    public const ulong FarApart = 16UL << 20;

    /// <summary>Windows next to one another.</summary>
    public const ulong SideBySide = WindowBytes;

    private const ulong WindowBytes = 2UL << 20;

    // Each vCPU keeps some free frames.
    private const ulong RoomBytes = 128UL << 20;

    private readonly Arena _arena;
    private readonly GuestConsumer[] _vcpus;
    private readonly int _windows;
    private readonly ulong _stride;

    public ScalingWorld(int vcpus, int windows, ulong stride = FarApart, bool superpages = true)
    {
        _windows = windows;
        _stride = stride;
        _arena = new Arena(new ArenaOptions { Bytes = (ulong)windows * WindowBytes + RoomBytes });
        Guest = new Guest(_arena, new GuestOptions { Consumers = vcpus, Superpages = superpages });
        _vcpus = new GuestConsumer[vcpus];
        for (int i = 0; i < vcpus; i++) _vcpus[i] = Guest.AddConsumer();
        for (int i = 0; i < windows; i++) Guest.MapMemory(GpaOf(i), WindowBytes);
        for (int i = 0; i < windows; i++) FaultWindow(0, i);
    }

    public Guest Guest { get; }

    public GuestConsumer Vcpu(int index) => _vcpus[index];

    /// <summary>Takes every translation away; the pages stay where they are.</summary>
    public void UnmapTables()
    {
        var gather = new ShootdownGather(Guest.Space.Consumers, Guest.Space.Limbo);
        GuestConsumer vcpu = _vcpus[0];
        Invariant.Require(vcpu.Consumer.TryEnter());
        Guest.Pmap.Remove(0, (ulong)_windows * _stride, vcpu.Consumer.Frames, ref gather);
        vcpu.Consumer.Exit();
        gather.Commit();
        Guest.Space.Limbo.Recycle();
    }

    /// <summary>
    /// Takes the translations of 512 pages away, half of them of each of the first two windows, which lie
    /// side by side and keep their tables.
    /// </summary>
    public void RemoveAcross<TSink>(int vcpu, ref TSink sink)
        where TSink : struct, IRemovalSink, allows ref struct
    {
        VmspaceConsumer consumer = _vcpus[vcpu].Consumer;
        Invariant.Require(consumer.TryEnter());
        Guest.Pmap.Remove(GpaOf(1).Value - WindowBytes / 2, WindowBytes, consumer.Frames, ref sink);
        consumer.Exit();
    }

    /// <summary>The same pages are there again.</summary>
    public void FaultAcross(int vcpu)
    {
        for (int page = 0; page < PagesPerWindow; page += Batch)
        {
            FaultBatch(vcpu, page < PagesPerWindow / 2 ? 1 : 0, page);
        }
    }

    /// <summary>Gives all memory back and maps it anew: nothing is there.</summary>
    public void Empty()
    {
        for (int i = 0; i < _windows; i++)
        {
            Guest.Unmap(GpaOf(i), WindowBytes);
            Guest.MapMemory(GpaOf(i), WindowBytes);
        }
    }

    /// <summary>A vCPU's write faults on every page of a window.</summary>
    public void FaultWindow(int vcpu, int window)
    {
        for (int page = 0; page < PagesPerWindow; page += Batch) FaultBatch(vcpu, window, page);
    }

    /// <summary>A vCPU's write faults on 64 pages of a window, in one call.</summary>
    public void FaultBatch(int vcpu, int window, int page)
    {
        Span<ulong> gpa = stackalloc ulong[Batch];
        Span<Prot> access = stackalloc Prot[Batch];
        Span<ulong> hpa = stackalloc ulong[Batch];
        Span<FaultStatus> status = stackalloc FaultStatus[Batch];
        access.Fill(Prot.Write);
        ulong first = GpaOf(window).Value + ((ulong)page << Core.Paging.PageShift);
        for (int i = 0; i < Batch; i++) gpa[i] = first + ((ulong)i << Core.Paging.PageShift);
        int allowed = _vcpus[vcpu].Fault(new FaultBatch(gpa, access, hpa, status));
        Invariant.Require(allowed == Batch);
    }

    public void Dispose()
    {
        foreach (GuestConsumer vcpu in _vcpus) vcpu.Dispose();
        Guest.Dispose();
        _arena.Dispose();
    }

    private Gpa GpaOf(int window) => new((ulong)window * _stride);
}
