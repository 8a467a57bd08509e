using System;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.Pagers;
using Pagoda.PageTables;
using Pagoda.Physical;
using Pagoda.Reclaim;
using Pagoda.Simulator.Checks;
using Pagoda.Simulator.Memory;

namespace Pagoda.Simulator.Scenarios;

/// <summary>A guest with a few pages in two windows, and everything around it.</summary>
internal sealed class GuestWorld
{
    /// <summary>Ranges that the guest has: each in a window of its own.</summary>
    public const int Parts = 2;

    private const int BytesApart = 512;
    private const int BatchMax = 64;
    private readonly ulong _freeAtStart;

    public GuestWorld(Stage stage, GuestPlan plan)
    {
        Stage = stage;
        Plan = plan;
        Arena = stage.Arena(plan.Frames);
        _freeAtStart = FreeFrames;
        if (plan.Slots != 0)
        {
            Store = new SeededStore(plan.Slots, stage.ChoicesOf(-1), plan.FailsOneIn);
            Swap = new SwapSpace(Store);
        }
        int format = plan.Format < 0 ? stage.Choices.Below(3) : plan.Format;
        Guest = MakeGuest(format);
        if (plan.Shared) Other = MakeGuest(format);
        Shadow = new GuestShadow(stage, plan.Pages);
        for (int part = 0; part < Parts; part++)
        {
            var gpa = new Gpa((ulong)part << Paging.WindowShift);
            if (Other is null) Guest.MapMemory(gpa, BytesOf(part));
            else MapShared(Other, gpa, BytesOf(part));
        }
        if (plan.Superpages) Populate();
        ulong resident = (ulong)plan.ResidentFrames << Paging.PageShift;
        var options = new PageDaemonOptions { ResidentBytes = resident, LowBytes = 0, HighBytes = 0 };
        if (plan.DaemonTurns != 0) Daemon = new PageDaemon(Arena, options);
        if (plan.Warm) Warm();
        if (plan.Clean) Clean();
        stage.Watch.Attach(Arena);
        stage.Scheduler.Slots.Attach(Guest.Space.Consumers, Planted.HostSlots + plan.Vcpus);
        stage.Scheduler.Observer = Shadow;
    }

    public Stage Stage { get; }

    public GuestPlan Plan { get; }

    public Arena Arena { get; }

    public Guest Guest { get; }

    /// <summary>Another guest that shows the same memory.</summary>
    public Guest? Other { get; }

    public GuestShadow Shadow { get; }

    public SeededStore? Store { get; }

    public SwapSpace? Swap { get; }

    public PageDaemon? Daemon { get; }

    private ulong FreeFrames => Arena.Allocator.FreeFrames + (ulong)Arena.Zeroed.Stock;

    /// <summary>Where a word lies in its page, in words: far apart, so that a page is more than a line.</summary>
    public static int OffsetOf(int word) => word * (BytesApart / sizeof(ulong));

    /// <summary>The pages of a part.</summary>
    public (int First, int End) PartOf(int part)
    {
        int length = Plan.Pages / Parts;
        return (part * length, (part + 1) * length);
    }

    /// <summary>Bytes that are mapped for a part, from its first page on.</summary>
    public ulong BytesOf(int part)
    {
        if (part == 0 && Plan.Superpages) return Paging.WindowBytes;
        return (ulong)(Plan.Pages / Parts) << Paging.PageShift;
    }

    public ulong GpaOf(int page)
    {
        int length = Plan.Pages / Parts;
        return ((ulong)(page / length) << Paging.WindowShift) + ((ulong)(page % length) << Paging.PageShift);
    }

    /// <summary>Where a word of a page is.</summary>
    public Gpa AddressOf(int page, int word) => new(GpaOf(page) + sizeof(ulong) * (ulong)OffsetOf(word));

    /// <summary>An access was refused: is that one of the things that may happen here?</summary>
    public void Ended(int page, Prot access, FaultStatus status)
    {
        bool fails = Store is not null && Store.FailedReads != 0;
        bool isRight = status switch
        {
            FaultStatus.Poisoned or FaultStatus.PagerError => fails,
            FaultStatus.NoMapping => (Plan.Control & (ControlWork.Discard | ControlWork.Move)) != 0,
            FaultStatus.Protection => (Plan.Control & ControlWork.Protect) != 0 && (access & Prot.Write) != 0,
            FaultStatus.OutOfMemory => Plan.Frames < FramesEnough || Plan.ResidentFrames != 0,
            FaultStatus.Destroyed => Plan.Destroys,
            _ => false,
        };
        Stage.Require(isRight, "an access to page " + page + " ended in " + status);
        if (status is FaultStatus.Poisoned or FaultStatus.PagerError) Shadow.Lose(page);
    }

    /// <summary>Behind the schedule: every byte, then every frame, slot and table.</summary>
    public void Finish(ModelVcpu[] vcpus)
    {
        if (!Plan.Destroys) CheckContents();
        foreach (ModelVcpu vcpu in vcpus) vcpu.Dispose();
        Guest.Dispose();
        Other?.Dispose();
        Daemon?.Dispose();
        Stage.Require(Swap is null || Swap.Slots.Free == Swap.Slots.Capacity, "swap slots were lost");
        Swap?.Dispose();
        Stage.Require(FreeFrames == _freeAtStart, FreeFrames + " frames are free, not " + _freeAtStart);
        Arena.Allocator.CheckConsistency();
        Arena.Dispose();
    }

    // With fewer a fault may find no frame though nothing is wrong.
    private const int FramesEnough = 64;

    /// <summary>Everything of the first part but the pages that actors access.</summary>
    private void Populate()
    {
        Span<ulong> gpa = stackalloc ulong[BatchMax];
        Span<Prot> access = stackalloc Prot[BatchMax];
        Span<ulong> hpa = stackalloc ulong[BatchMax];
        Span<FaultStatus> status = stackalloc FaultStatus[BatchMax];
        access.Fill(Plan.PopulatedBy);
        using GuestConsumer consumer = Guest.AddConsumer();
        int page = Plan.Pages / Parts;
        while (page < Paging.EntriesPerTable)
        {
            int count = int.Min(BatchMax, Paging.EntriesPerTable - page);
            for (int i = 0; i < count; i++) gpa[i] = (ulong)page++ << Paging.PageShift;
            var batch = new FaultBatch(gpa[..count], access[..count], hpa[..count], status[..count]);
            Stage.Require(consumer.Fault(in batch) == count, "the window was not populated");
        }
    }

    private Guest MakeGuest(int format) => new(Arena, new GuestOptions
    {
        Tables = format == 2 ? TableKind.Rvi : TableKind.Ept,
        HardwareAd = format != 1,
        Swap = Swap,
        Policy = Plan.Superpages ? SuperpagePolicy.Superpage : SuperpagePolicy.Fixed,
        Consumers = Plan.Vcpus + 2,
    });

    private void MapShared(Guest other, Gpa gpa, ulong length)
    {
        using VmObject memory = Guest.MakeMemory(length);
        Guest.MapObject(gpa, memory, 0, length);
        other.MapObject(gpa, memory, 0, length);
    }

    private void Warm()
    {
        for (int page = 0; page < Plan.Pages; page++)
        {
            ulong value = 0x1000UL + (ulong)page;
            Shadow.BeginHostWrite(page);
            Shadow.BeginCopy(page);
            FaultStatus status = Guest.Write(AddressOf(page, GuestShadow.CopiedWord), BitConverter.GetBytes(value));
            Stage.Require(status == FaultStatus.Resolved, "the first write to a page ended in " + status);
            Shadow.EndCopy(page, isKnown: true, value);
            Shadow.EndHostWrite(page, hasWritten: true);
        }
    }

    private unsafe void Clean()
    {
        ReclaimResult result = Daemon!.Reclaim(Plan.Pages);
        Stage.Require(result.Freed == Plan.Pages, "pages stay in memory that nobody uses");
        for (int page = 0; page < Plan.Pages; page++)
        {
            ulong value;
            FaultStatus status = Guest.Read(AddressOf(page, 0), new Span<byte>(&value, sizeof(ulong)));
            Stage.Require(status == FaultStatus.Resolved, "the first read of a page ended in " + status);
        }
    }

    private unsafe void CheckContents()
    {
        for (int page = 0; page < Plan.Pages; page++)
        {
            ResidentCheck.CleanPageIsStored(this, page);
            for (int word = 0; word < GuestShadow.Words; word++)
            {
                ulong value;
                FaultStatus status = Guest.Read(AddressOf(page, word), new Span<byte>(&value, sizeof(ulong)));
                if (status == FaultStatus.Resolved) Shadow.Expect(page, word, value, isOwner: false);
                else Ended(page, Prot.Read, status);
            }
        }
    }
}
