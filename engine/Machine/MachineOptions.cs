using System;
using Pagoda.Machine.Boot;
using Pagoda.PageTables;

namespace Pagoda.Machine;

/// <summary>What a machine is made of, and when its run ends.</summary>
public sealed class MachineOptions
{
    /// <summary>Processors at most.</summary>
    public const int ProcessorsMax = 64;

    /// <summary>The guest's memory.</summary>
    public required MemoryMap Memory { get; init; }

    /// <summary>What starts in it.</summary>
    public required BootPlan Boot { get; init; }

    /// <summary>Bytes of the arena, which holds the guest's memory and the engine's tables; whole pages.</summary>
    public required ulong ArenaBytes { get; init; }

    /// <summary>Processors, 1 to <see cref="ProcessorsMax"/>.</summary>
    public int Processors { get; init; } = 1;

    /// <summary>
    /// Each processor has a host thread of its own, and no two runs are the same; else one thread gives them turns.
    /// </summary>
    public bool Threads { get; init; }

    /// <summary>The format of the nested tables: <see cref="TableKind.Ept"/> or <see cref="TableKind.Rvi"/>.</summary>
    public TableKind Tables { get; init; } = TableKind.Ept;

    /// <summary>Hardware keeps the nested tables' accessed and dirty bits; false emulates them (EPT).</summary>
    public bool HardwareAd { get; init; } = true;

    /// <summary>2 MiB leaves are allowed in the nested tables.</summary>
    public bool Superpages { get; init; } = true;

    /// <summary>When superpages are made.</summary>
    public SuperpagePolicy Policy { get; init; }

    /// <summary>
    /// Bytes of the arena that the guest's pages and tables may take; what does not fit is swapped. 0 for no limit.
    /// </summary>
    public ulong ResidentBytes { get; init; }

    /// <summary>
    /// The swap file or block device, given together with <see cref="ResidentBytes"/>; null for none. A file that is
    /// not there is made, and loses its name at once, so that nothing of it is left behind.
    /// </summary>
    public string? Swap { get; init; }

    /// <summary>A swap file that a process left when it was killed is used all the same.</summary>
    public bool ResetSwap { get; init; }

    /// <summary>The serial bytes that end the run; empty for none.</summary>
    public ReadOnlyMemory<byte> Until { get; init; }

    /// <summary>Wall-clock time after which the run ends; null for no limit.</summary>
    public TimeSpan? TimeLimit { get; init; }

    /// <summary>Instructions after which the run ends like at its time limit, give or take a turn.</summary>
    public ulong InstructionsMax { get; init; } = ulong.MaxValue;

    /// <summary>Where the guest leaves a 64-bit number of errors that it found when it halts; null when it does not.
    /// </summary>
    public ulong? ErrorCountGpa { get; init; }
}
