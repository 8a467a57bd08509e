namespace Pagoda.Physical;

/// <summary>What an arena is made of. The arena's constructor checks it.</summary>
public sealed class ArenaOptions
{
    /// <summary>The fewest bytes of an arena: frame 0, which is never given out, and one that is.</summary>
    public const ulong BytesMin = 2 * Core.Paging.PageBytes;

    /// <summary>The most bytes of an arena: a frame number has 32 bits.</summary>
    public const ulong BytesMax = (ulong)uint.MaxValue << Core.Paging.PageShift;

    /// <summary>The fewest physical address bits.</summary>
    public const int PhysBitsMin = 32;

    /// <summary>The most physical address bits: what an entry of every table format can hold.</summary>
    public const int PhysBitsMax = 52;

    /// <summary>
    /// Bytes of guest memory, tables and bookkeeping pages together: a multiple of 4 KiB, of 2 MiB with
    /// <see cref="ArenaBacking.Hugetlb"/>. Unused memory is not committed, so it costs address space only.
    /// </summary>
    public required ulong Bytes { get; init; }

    /// <summary>Where the memory comes from.</summary>
    public ArenaBacking Backing { get; init; }

    /// <summary>The first byte of the memory for <see cref="ArenaBacking.Caller"/>, on a 4 KiB boundary.</summary>
    public nint CallerMemory { get; init; }

    /// <summary>Commit everything when the arena is made: no fault of a guest then waits for the kernel.</summary>
    public bool Prefault { get; init; }

    /// <summary>Lock what is committed into memory, so that the host never swaps it.</summary>
    public bool Lock { get; init; }

    /// <summary>
    /// Physical address bits of the guest-visible machine; device memory starts at half of that space.
    /// </summary>
    public int PhysBits { get; init; } = 46;
}
