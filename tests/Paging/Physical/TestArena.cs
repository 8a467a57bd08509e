using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.Tests.Physical;

/// <summary>Arenas for tests: small enough to run dry, of a size that no power of two divides well.</summary>
internal static unsafe class TestArena
{
    /// <summary>An arena of that many frames, frame 0 included.</summary>
    public static Arena Of(uint frames, ArenaBacking backing = ArenaBacking.AnonymousHuge) =>
        new(new ArenaOptions { Bytes = (ulong)frames << Paging.PageShift, Backing = backing });

    /// <summary>The bytes of a frame.</summary>
    public static byte* Page(Arena arena, uint pfn) => arena.DirectMap((ulong)pfn << Paging.PageShift);

    /// <summary>Takes everything that is free, frame by frame; returns how many frames that were.</summary>
    public static int TakeAll(Arena arena)
    {
        int taken = 0;
        while (arena.Allocator.TryTake(0) != 0) taken++;
        return taken;
    }
}
