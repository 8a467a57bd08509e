using System.Collections.Generic;
using Pagoda.Core;
using Pagoda.Simulator.Memory;

namespace Pagoda.Simulator.Faults;

/// <summary>
/// The 87 numbered faults, each a rule of the protocols left out: 1 entry and invalidation, 2 limbo, 3 holds and
/// eviction, 4 accessed and modified, 5 promotion, 6 faults and waits, 7 destruction, 8 a window that does not poll,
/// 9 fresh memory, 10 decoded code.
/// </summary>
internal static class FaultTable
{
    private static readonly string[] s_entry = ["entry-2x1", "entry-1x2"];
    private static readonly string[] s_limbo = ["limbo-1-1", "limbo-0-2", "limbo-2-0"];
    private static readonly string[] s_guest = ["discard", "mixed"];
    private static readonly string[] s_hold = ["hold-only", "hold-discard"];
    private static readonly string[] s_clean = ["hold-clean"];
    private static readonly string[] s_evict = ["write-evict", "hold-evict"];
    private static readonly string[] s_marks = ["sweep", "write-evict"];
    private static readonly string[] s_busy = ["read-busy", "short"];
    private static readonly string[] s_promote = ["promote", "promote-evict"];
    private static readonly string[] s_destroy = ["destroy"];

    public static IReadOnlyList<FaultRow> All { get; } =
    [
        Planted("1.1", PlantedFault.EntryWithoutFence, s_entry),
        Planted("1.2", PlantedFault.EntryWithoutFlush, s_entry),
        Planted("1.3", PlantedFault.GenerationByLoadAndStore, s_entry),
        Planted("1.4", PlantedFault.GenerationBeforeEntries, s_guest),
        Planted("1.5", PlantedFault.AcknowledgedBeforeFlush, s_entry),
        Planted("1.6", PlantedFault.AcknowledgesUnseenGeneration, s_entry),
        Planted("1.7", PlantedFault.WaitOneGenerationShort, s_entry),
        Planted("1.8", PlantedFault.NoWaitForConsumers, s_entry),
        Weak("1.9", PlantedFault.AcknowledgementNotRelease, s_entry),
        Weak("1.10", PlantedFault.ExitNotRelease, s_entry),
        Absent("1.11", "No consumer is kicked: each polls the generation itself."),
        Absent("1.12", "No consumer is kicked: each polls the generation itself."),
        Explored("2.1", PlantedFault.GenerationReadBehindScan, "small-limbo-waiting"),
        Planted("2.2", PlantedFault.TagBeforeIncrement, s_limbo),
        Explored("2.3", PlantedFault.GenerationBeforeEntries, "small-limbo"),
        Planted("2.4", PlantedFault.TagOffByOne, s_limbo),
        Planted("2.5", PlantedFault.RecyclerSkipsWalkers, s_limbo),
        Planted("2.6", PlantedFault.WalkerIsNoConsumer, ["hold-orphan", "hold-clean"]),
        Planted("2.7", PlantedFault.EntryWithoutFence, s_limbo),
        Planted("2.8", PlantedFault.WalksBeforeEntry, s_hold),
        Explored("2.9", PlantedFault.WalkerAcknowledgesMidway, "small-hold-discard"),
        Planted("2.10", PlantedFault.CopyLeavesBeforeUse, ["hold-clean"]),
        Weak("2.11", PlantedFault.ExitNotRelease, ["limbo-write"]),
        Planted("3.1", PlantedFault.HoldOutsideSlot, s_hold),
        Explored("3.2", PlantedFault.HoldLeavesBeforeItCounts, "small-hold"),
        Planted("3.3", PlantedFault.EvictionWithoutGrace, s_evict),
        Explored("3.4", PlantedFault.HoldsTestedBeforeGrace, "small-hold-read"),
        Planted("3.5", PlantedFault.HoldsNotTested, s_hold),
        Planted("3.6", PlantedFault.HoldCountByLoadAndStore, s_hold),
        Planted("3.7", PlantedFault.FaultDoesNotRescue, s_evict),
        Planted("3.8", PlantedFault.EvictionIgnoresRescue, s_evict),
        Planted("3.9", PlantedFault.EvictionIgnoresLastDirty, s_clean),
        Planted("3.10", PlantedFault.EvictionDropsDirtyFlag, ["write-faulty"]),
        Planted("3.11", PlantedFault.DirtyClearedAfterStore, s_clean),
        Planted("3.12", PlantedFault.HoldNeverMarks, s_hold),
        Planted("3.13", PlantedFault.HoldMarksAfterRelease, s_clean),
        Planted("3.14", PlantedFault.ReleaseDoesNotMark, ["hold-harvest"]),
        Absent("3.15", "A hold walks once, inside its slot, and never takes back what it counted."),
        Planted("4.1", PlantedFault.HarvestWithoutWait, s_marks),
        Planted("4.2", PlantedFault.ProtectWithoutWait, ["protect"]),
        Explored("4.3", PlantedFault.SweepMarksFirst, "small-sweep-harvest"),
        Planted("4.4", PlantedFault.SweepDropsModified, s_marks),
        Planted("4.5", PlantedFault.HarvestTakesMarksLast, s_marks),
        Explored("4.6", PlantedFault.EvictionTakesDirtyLast, "small-sweep-launder"),
        Planted("4.7", PlantedFault.WalkIgnoresFailedSwap, ["harvest", "launder"]),
        Planted("4.8", PlantedFault.MarksByStore, ["launder", "harvest"]),
        Explored("4.9", PlantedFault.MarksByOr, "small-removal"),
        Explored("4.10", PlantedFault.AgingOutsideSlot, "small-sweep-harvest"),
        Planted("4.11", PlantedFault.EmulationInTwoSteps, s_marks),
        Planted("4.12", PlantedFault.SweepKeepsModified, s_marks),
        Planted("5.1", PlantedFault.PromotionWithoutLock, ["promote-evict"]),
        Planted("5.2", PlantedFault.RangeWithoutLock, ["promote", "discard"]),
        Explored("5.3", PlantedFault.RemovalByLoadAndStore, "small-removal"),
        Explored("5.4", PlantedFault.PromotionKeepsWrite, "small-promote"),
        Explored("5.5", PlantedFault.WriteStrippedByStore, "small-promote"),
        Explored("5.6", PlantedFault.LeavesNotCompared, "small-promote-rights"),
        Planted("5.7", PlantedFault.MarksByStore, ["promote-evict"]),
        Explored("5.8", PlantedFault.MarksByOr, "small-removal"),
        Planted("6.1", PlantedFault.SleepsWhileActive, ["read-busy"]),
        Absent("6.2", "Nobody waits for a frame: a fault without one gives its claim back and makes room first."),
        Planted("6.3", PlantedFault.RelievesUnderLock, s_busy),
        Planted("6.4", PlantedFault.WaitsUnderLock, ["first-touch"]),
        Explored("6.5", PlantedFault.TestsThenSleeps, "small-fault"),
        Planted("6.6", PlantedFault.SleepsUnmarked, ["small-fault"]),
        Explored("6.7", PlantedFault.WakesBeforePublication, "small-fault-error"),
        Planted("6.8", PlantedFault.ErrorWakesNobody, ["small-fault-error"]),
        Planted("6.9", PlantedFault.WakesOne, ["small-fault-3"]),
        Planted("6.10", PlantedFault.ReadsWithoutClaim, s_busy),
        Planted("6.11", PlantedFault.FaultDoesNotRescue, s_busy),
        Planted("6.12", PlantedFault.EvictionIgnoresRescue, s_busy),
        Planted("7.1", PlantedFault.DyingTestedBeforeEntry, ["end-2"]),
        Planted("7.2", PlantedFault.EntryWithoutFence, ["end-2"]),
        Planted("7.3", PlantedFault.DyingByStore, ["end-2"]),
        Planted("7.4", PlantedFault.DestroyWithoutWait, s_destroy),
        Explored("7.5", PlantedFault.HoldLeavesBeforeItCounts, "small-destroy"),
        Planted("7.6", PlantedFault.CountAndOrphanApart, ["small-release"]),
        Planted("7.7", PlantedFault.ReleaseReadsAgain, ["small-release"]),
        Planted("7.8", PlantedFault.ReleaseNeverFrees, ["hold-orphan"]),
        Planted("7.9", PlantedFault.FreesHeldFrames, ["hold-orphan"]),
        Absent("8.1", "There is no window of a hypervisor that cannot poll."),
        Absent("8.2", "There is no window of a hypervisor that cannot poll."),
        Absent("8.3", "There is no window of a hypervisor that cannot poll."),
        Absent("8.4", "There is no window of a hypervisor that cannot poll."),
        Masked("9.1", PlantedFault.LinkNotRelease, "Tables come zeroed: an early link leads to absent entries. A walk "
            + "faults, and waits for the window's lock, which is released behind the filling."),
        Absent("9.2", "Tables come zeroed: one that is linked early holds absent entries, which are faults."),
        Planted("9.3", PlantedFault.NoStoreFence, ["first-touch", "short", "discard"]),
        Explored("10.1", PlantedFault.MarksClearedBeforeVersion, "small-code-decoded"),
    ];

    private static FaultRow Planted(string number, PlantedFault fault, string[] scenarios) =>
        new(number, fault, scenarios);

    /// <summary>Found by going through schedules in order: it needs few switches, in exact places.</summary>
    private static FaultRow Explored(string number, PlantedFault fault, string scenario) =>
        new(number, fault, [scenario]) { IsExplored = true };

    private static FaultRow Weak(string number, PlantedFault fault, string[] scenarios) =>
        new(number, fault, scenarios, MemoryMode.Weak);

    /// <summary>It can be planted, and breaks nothing: something else keeps what the rule keeps.</summary>
    private static FaultRow Masked(string number, PlantedFault fault, string reason) =>
        new(number, fault, [], null, reason);

    private static FaultRow Absent(string number, string reason) => new(number, PlantedFault.None, [], null, reason);
}
