using Pagoda.Perf.Faults;
using Pagoda.Perf.Gate;
using Pagoda.Perf.GuestAccess;
using Pagoda.Perf.PageTables;
using Pagoda.Perf.Physical;
using Pagoda.Perf.Reclaim;
using Pagoda.Perf.Tlb;

namespace Pagoda.Perf;

/// <summary>The cases of the gate, in the order in which it prints them.</summary>
internal static class Workloads
{
    /// <summary>Every case.</summary>
    public static GateCase[] All() =>
    [
        new("frame", static () => new FrameWorkload(), static () => new FrameLimit()),
        new("map", static () => new MapWorkload(), static () => new MapLimit()),
        new("remove", static () => new RemoveWorkload(), static () => new RemoveLimit()),
        new("promote", static () => new PromoteWorkload(), static () => new PromoteLimit()),
        new("demote", static () => new DemoteWorkload(), static () => new MapLimit()),
        new("lookup", static () => new LookupWorkload(), static () => new WalkLimit()),
        new("walk", static () => new WalkWorkload(), static () => new WalkLimit()),
        new("enter", static () => new EnterWorkload(), static () => new EnterLimit()),
        new("touch", static () => new TouchWorkload(), static () => new FrameLimit()),
        new("fault", static () => new FaultWorkload(), static () => new FaultLimit()),
        new("fault-one", static () => new SingleFaultWorkload(), static () => new FaultLimit()),
        new("populate", static () => new PopulateWorkload(), static () => new PopulateLimit()),
        new("hold", static () => new HoldWorkload(), static () => new HoldLimit()),
        new("hold-batch", static () => new HoldBatchWorkload(), static () => new HoldLimit()),
        new("age-clean", static () => new AgeCleanWorkload(), static () => new AgeCleanLimit()),
        new("age-used", static () => new AgeUsedWorkload(), static () => new AgeUsedLimit()),
        new("evict", static () => new EvictWorkload(), static () => new EvictLimit()),
        new("swap-out", static () => new SwapOutWorkload(), static () => new SwapOutLimit()),
        new("swap-in", static () => new SwapInWorkload(), static () => new SwapInLimit()),
    ];
}
