using System;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.Physical;
using Pagoda.Tlb;

namespace Pagoda.Perf;

/// <summary>A guest with 8 MiB of memory, a consumer, and columns for batches of 64 faults.</summary>
internal sealed unsafe class GuestFixture : IDisposable
{
    /// <summary>Lanes of a batch.</summary>
    public const int Lanes = 64;

    /// <summary>Pages of the guest's memory.</summary>
    public const int Pages = 2048;

    private const ulong MemoryBytes = Pages * Core.Paging.PageBytes;
    private const ulong ArenaBytes = 64UL << 20;
    private readonly ulong[] _gpa = new ulong[Lanes];
    private readonly Prot[] _access = new Prot[Lanes];
    private readonly ulong[] _hpa = new ulong[Lanes];
    private readonly FaultStatus[] _status = new FaultStatus[Lanes];

    public GuestFixture()
    {
        Arena = new Arena(new ArenaOptions { Bytes = ArenaBytes, Prefault = true });
        Guest = new Guest(Arena, new GuestOptions());
        Guest.MapMemory(new Gpa(0), MemoryBytes);
        Consumer = Guest.AddConsumer();
        Array.Fill(_access, Prot.Write);
    }

    public Arena Arena { get; }

    public Guest Guest { get; }

    public GuestConsumer Consumer { get; }

    /// <summary>Resolves a write fault of every page, in batches of 64 neighbours.</summary>
    public void FaultAll()
    {
        for (int page = 0; page < Pages; page += Lanes)
        {
            for (int lane = 0; lane < Lanes; lane++) _gpa[lane] = (ulong)(page + lane) << Core.Paging.PageShift;
            int resolved = Consumer.Fault(new FaultBatch(_gpa, _access, _hpa, _status));
            Invariant.Require(resolved == Lanes);
        }
    }

    /// <summary>Resolves a write fault of every page, one by one.</summary>
    public void FaultEach()
    {
        for (int page = 0; page < Pages; page++)
        {
            FaultStatus status = Consumer.Fault((ulong)page << Core.Paging.PageShift, Prot.Write, out _);
            Invariant.Require(status == FaultStatus.Resolved);
        }
    }

    /// <summary>Gives all memory back and maps it anew: nothing is there.</summary>
    public void Empty()
    {
        Guest.Unmap(new Gpa(0), MemoryBytes);
        Guest.MapMemory(new Gpa(0), MemoryBytes);
    }

    /// <summary>Takes every mapping away and leaves the pages where they are.</summary>
    public void UnmapTables()
    {
        var gather = new ShootdownGather(Guest.Space.Consumers, Guest.Space.Limbo);
        Invariant.Require(Consumer.Consumer.TryEnter());
        Guest.Pmap.Remove(0, MemoryBytes, Consumer.Consumer.Frames, ref gather);
        Consumer.Consumer.Exit();
        gather.Commit();
    }

    public void Dispose()
    {
        Consumer.Dispose();
        Guest.Dispose();
        Arena.Dispose();
    }
}
