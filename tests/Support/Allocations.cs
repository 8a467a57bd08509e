using System;

namespace Pagoda.Tests.Support;

/// <summary>Measures what an action allocates on the managed heap of the calling thread.</summary>
public static class Allocations
{
    private const int WarmUps = 3;

    /// <summary>Bytes allocated by one run, after some that do not count.</summary>
    public static long Of(Action action)
    {
        for (int i = 0; i < WarmUps; i++) action();
        long before = GC.GetAllocatedBytesForCurrentThread();
        action();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
