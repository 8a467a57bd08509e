namespace Pagoda.Core;

/// <summary>
/// Rules that the simulator can have broken, one at a time. A name says what is done wrong; the place that asks for it
/// is where the rule is kept.
/// </summary>
internal enum PlantedFault : byte
{
    /// <summary>Nothing is wrong.</summary>
    None = 0,

    // Entry, acknowledgement, invalidation.

    /// <summary>A consumer sets its word by a store, so it may read the generation and entries before that.</summary>
    EntryWithoutFence,

    /// <summary>A consumer keeps its TLB although the generation moved while it was inactive.</summary>
    EntryWithoutFlush,

    /// <summary>The generation is advanced by a load and a store.</summary>
    GenerationByLoadAndStore,

    /// <summary>The generation is advanced before the entries change.</summary>
    GenerationBeforeEntries,

    /// <summary>A poll acknowledges before the TLB is emptied.</summary>
    AcknowledgedBeforeFlush,

    /// <summary>The generation is read again after the flush, and the newer one acknowledged.</summary>
    AcknowledgesUnseenGeneration,

    /// <summary>A wait is satisfied by the generation before the one that it is for.</summary>
    WaitOneGenerationShort,

    /// <summary>Nobody waits for consumers.</summary>
    NoWaitForConsumers,

    /// <summary>The acknowledgement may overtake the guest's own stores.</summary>
    AcknowledgementNotRelease,

    /// <summary>The exit may overtake what was done inside.</summary>
    ExitNotRelease,

    // Limbo and walkers.

    /// <summary>The recycler reads the generation after it has looked at the consumers.</summary>
    GenerationReadBehindScan,

    /// <summary>What is unlinked gets the generation from before the increment.</summary>
    TagBeforeIncrement,

    /// <summary>Tags are compared off by one.</summary>
    TagOffByOne,

    /// <summary>The recycler does not look at the slots of the host's walkers.</summary>
    RecyclerSkipsWalkers,

    /// <summary>A walker does not set its word.</summary>
    WalkerIsNoConsumer,

    /// <summary>A hold walks before it enters the slot.</summary>
    WalksBeforeEntry,

    /// <summary>A walker acknowledges between its walk and the use of what it found.</summary>
    WalkerAcknowledgesMidway,

    /// <summary>A copy leaves the slot before it uses the frame.</summary>
    CopyLeavesBeforeUse,

    // Holds and eviction.

    /// <summary>A hold does not enter the slot at all.</summary>
    HoldOutsideSlot,

    /// <summary>A hold leaves the slot before the count goes up.</summary>
    HoldLeavesBeforeItCounts,

    /// <summary>Eviction does not wait for the consumers.</summary>
    EvictionWithoutGrace,

    /// <summary>Eviction looks at the hold counts before the grace period only.</summary>
    HoldsTestedBeforeGrace,

    /// <summary>Eviction does not look at the hold counts.</summary>
    HoldsNotTested,

    /// <summary>The hold count changes by a load and a store.</summary>
    HoldCountByLoadAndStore,

    /// <summary>A fault on a page that is being evicted maps it without a mark.</summary>
    FaultDoesNotRescue,

    /// <summary>Eviction ends without a look at the mark of a rescue.</summary>
    EvictionIgnoresRescue,

    /// <summary>Eviction ends without a last look at the dirty flag.</summary>
    EvictionIgnoresLastDirty,

    /// <summary>An eviction that is given up does not put the dirty flag back.</summary>
    EvictionDropsDirtyFlag,

    /// <summary>The dirty flag is cleared after the content was stored.</summary>
    DirtyClearedAfterStore,

    /// <summary>A write hold marks its page neither when it is taken nor when it ends.</summary>
    HoldNeverMarks,

    /// <summary>A write hold marks its page only after its count went down.</summary>
    HoldMarksAfterRelease,

    /// <summary>A write hold marks its page when it is taken, but not when it ends.</summary>
    ReleaseDoesNotMark,

    // Accessed and modified.

    /// <summary>A harvest reports before consumers have let go of "dirty recorded".</summary>
    HarvestWithoutWait,

    /// <summary>Taking the write right does not wait for the consumers.</summary>
    ProtectWithoutWait,

    /// <summary>A sweep sets the frame's dirty flag first, and takes M second.</summary>
    SweepMarksFirst,

    /// <summary>A sweep clears M and tells nobody.</summary>
    SweepDropsModified,

    /// <summary>A harvest takes M and the marks once more behind its generation.</summary>
    HarvestTakesMarksLast,

    /// <summary>A harvest does not look for marks that a sweep had on their way.</summary>
    HarvestLooksOnce,

    /// <summary>Eviction takes the dirty flag behind its generation.</summary>
    EvictionTakesDirtyLast,

    /// <summary>A walk goes on with the entry that it read although the entry has changed.</summary>
    WalkIgnoresFailedSwap,

    /// <summary>A walk sets A and D by a store.</summary>
    MarksByStore,

    /// <summary>A walk sets A and D by an Or, whatever the entry has become.</summary>
    MarksByOr,

    /// <summary>The page daemon ages without a slot.</summary>
    AgingOutsideSlot,

    /// <summary>Emulation sets M first and A by a second operation.</summary>
    EmulationInTwoSteps,

    /// <summary>A sweep clears an emulated A and leaves M.</summary>
    SweepKeepsModified,

    // Window locks.

    /// <summary>Range operations do not take the window's lock.</summary>
    RangeWithoutLock,

    /// <summary>A leaf is removed by a load and a store.</summary>
    RemovalByLoadAndStore,

    // Promotion.

    /// <summary>Leaves are compared and replaced without the window's lock.</summary>
    PromotionWithoutLock,

    /// <summary>Leaves that are not modified keep their write right when they become a superpage.</summary>
    PromotionKeepsWrite,

    /// <summary>The write right is taken from leaves by a store.</summary>
    WriteStrippedByStore,

    /// <summary>Leaves become a superpage whatever they map.</summary>
    LeavesNotCompared,

    // Faults and waits.

    /// <summary>A fault sleeps inside its slot.</summary>
    SleepsWhileActive,

    /// <summary>A fault asks for memory under the window's lock.</summary>
    RelievesUnderLock,

    /// <summary>A fault waits for consumers under the window's lock.</summary>
    WaitsUnderLock,

    /// <summary>A sleeper tests the word first and falls asleep second.</summary>
    TestsThenSleeps,

    /// <summary>A sleeper leaves no mark in the word.</summary>
    SleepsUnmarked,

    /// <summary>Sleepers are woken before the new state is there.</summary>
    WakesBeforePublication,

    /// <summary>A claim that is given up, or a page that is lost, wakes nobody.</summary>
    ErrorWakesNobody,

    /// <summary>One of several sleepers is woken.</summary>
    WakesOne,

    /// <summary>A page is read without having been claimed.</summary>
    ReadsWithoutClaim,

    // The end of a guest.

    /// <summary>A consumer asks whether the guest is being destroyed before it sets its word.</summary>
    DyingTestedBeforeEntry,

    /// <summary>The mark of destruction is a store with no fence behind it.</summary>
    DyingByStore,

    /// <summary>Destruction does not wait for consumers and calls.</summary>
    DestroyWithoutWait,

    /// <summary>The count of holds and the mark of the lost owner are looked at one after another.</summary>
    CountAndOrphanApart,

    /// <summary>A release reads the count once more instead of using what the decrement returned.</summary>
    ReleaseReadsAgain,

    /// <summary>The last release of a frame without an owner does not free it.</summary>
    ReleaseNeverFrees,

    /// <summary>Frames are freed while they are held.</summary>
    FreesHeldFrames,

    // Fresh memory.

    /// <summary>A table is linked by a store that may overtake what was put into it.</summary>
    LinkNotRelease,

    /// <summary>Nothing orders streamed zeros before what publishes the frame.</summary>
    NoStoreFence,

    // Decoded code.

    /// <summary>A store to decoded code clears the frame's flag and marks first, then raises its version.</summary>
    MarksClearedBeforeVersion,
}
