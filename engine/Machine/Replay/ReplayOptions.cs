using Pagoda.PageTables;

namespace Pagoda.Machine.Replay;

/// <summary>The guest that a trace is replayed in.</summary>
public sealed record ReplayOptions
{
    /// <summary>The guest's memory in bytes, whole pages: as many pages as the trace may touch.</summary>
    public required ulong MemoryBytes { get; init; }

    /// <summary>Bytes of the arena, which holds the guest's memory and the engine's tables; whole pages.</summary>
    public required ulong ArenaBytes { get; init; }

    /// <summary>The format of the nested tables: <see cref="TableKind.Ept"/> or <see cref="TableKind.Rvi"/>.</summary>
    public TableKind Tables { get; init; } = TableKind.Ept;

    /// <summary>Hardware keeps the nested tables' accessed and dirty bits; false emulates them (EPT).</summary>
    public bool HardwareAd { get; init; } = true;

    /// <summary>2 MiB leaves are allowed.</summary>
    public bool Superpages { get; init; } = true;

    /// <summary>When superpages are made.</summary>
    public SuperpagePolicy Policy { get; init; }

    /// <summary>Bytes that the trace's pages may take, the tables not counted; 0 for no limit.</summary>
    public ulong ResidentBytes { get; init; }

    /// <summary>The swap file, given together with <see cref="ResidentBytes"/>; as in <see cref="MachineOptions"/>.
    /// </summary>
    public string? Swap { get; init; }

    /// <summary>A swap file that a process left when it was killed is used all the same.</summary>
    public bool ResetSwap { get; init; }

    /// <summary>What the stored values follow from.</summary>
    public ulong Seed { get; init; }

    /// <summary>Every byte that is read is compared with a copy of the guest's memory.</summary>
    public bool Verify { get; init; }
}
