using System;
using Pagoda.Machine.Boot;
using Pagoda.PageTables;

namespace Pagoda.Machine;

/// <summary>What a machine is made of, and when its run ends.</summary>
public sealed class MachineOptions
{
    /// <summary>The guest's memory.</summary>
    public required MemoryMap Memory { get; init; }

    /// <summary>What starts in it.</summary>
    public required BootPlan Boot { get; init; }

    /// <summary>Bytes of the arena, which holds the guest's memory and the engine's tables; whole pages.</summary>
    public required ulong ArenaBytes { get; init; }

    /// <summary>The format of the nested tables: <see cref="TableKind.Ept"/> or <see cref="TableKind.Rvi"/>.</summary>
    public TableKind Tables { get; init; } = TableKind.Ept;

    /// <summary>Hardware keeps the nested tables' accessed and dirty bits; false emulates them (EPT).</summary>
    public bool HardwareAd { get; init; } = true;

    /// <summary>2 MiB leaves are allowed in the nested tables.</summary>
    public bool Superpages { get; init; } = true;

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
