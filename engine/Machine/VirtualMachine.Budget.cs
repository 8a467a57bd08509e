using Pagoda.Core;
using Pagoda.Physical;
using Pagoda.Reclaim;

namespace Pagoda.Machine;

/// <summary>Running with less memory than the guest has.</summary>
public sealed unsafe partial class VirtualMachine
{
    private const ulong ResidentBytesBase = 1UL << 20;

    // For each window of 2 MiB a table and the words of its pages stay.
    private const int BookkeepingShift = 8;

    private const ulong LowBytesMax = 64 * Paging.PageBytes;
    private const int LowShift = 5;

    /// <summary>The least of <see cref="MachineOptions.ResidentBytes"/> that a guest can run with.</summary>
    /// <param name="memoryBytes">The guest's memory.</param>
    /// <returns>Whole pages.</returns>
    public static ulong ResidentBytesMin(ulong memoryBytes) =>
        ResidentBytesBase + ((memoryBytes >> BookkeepingShift) + Paging.PageOffsetMask & ~Paging.PageOffsetMask);

    private static MemoryBudget MakeBudget(Arena arena, MachineOptions options)
    {
        // Of a small budget only a part is kept free ahead of need.
        ulong low = ulong.Min(options.ResidentBytes >> LowShift & ~(ulong)Paging.PageOffsetMask, LowBytesMax);
        return new MemoryBudget(arena, options.Swap!, options.ResetSwap, options.Memory.Bytes, new PageDaemonOptions
        {
            ResidentBytes = options.ResidentBytes, LowBytes = low, HighBytes = 2 * low,
        });
    }
}
