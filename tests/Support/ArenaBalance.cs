using NUnit.Framework;
using Pagoda.Physical;

namespace Pagoda.Tests.Support;

/// <summary>
/// Frames that nobody uses: free ones and those zeroed ahead. Compared before and after, they show a leak.
/// </summary>
public static class ArenaBalance
{
    /// <summary>How many there are, while no consumer's cache holds any.</summary>
    public static ulong Of(Arena arena) => arena.Allocator.FreeFrames + (ulong)arena.Zeroed.Stock;

    /// <summary>Every frame but frame 0 is unused.</summary>
    public static void AssertWhole(Arena arena, string context = "") =>
        Assert.That(Of(arena), Is.EqualTo(arena.FrameCount - 1), "frames leaked " + context);
}
