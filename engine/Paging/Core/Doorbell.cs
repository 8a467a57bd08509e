namespace Pagoda.Core;

/// <summary>
/// Wakes threads that sleep until there is something to do. Ringing costs a system call only when one does.
/// </summary>
/// <remarks>
/// Use: <c>ulong seen = bell.Look(); if (nothing to do) bell.Sleep(seen, …);</c>. What was made ready in front of a
/// ring is found by the look that follows, so no ring is lost between looking for work and falling asleep.
/// </remarks>
/// <param name="cell">Bit 0: somebody sleeps. Above: rings so far. Starts as 0.</param>
[method: AllocationFree]
[AllocationFree]
public readonly unsafe struct Doorbell(ulong* cell)
{
    private const ulong Sleeper = 1;
    private const ulong OneRing = 2;

    private readonly ulong* _cell = cell;

    /// <summary>The rings so far. In front of looking for work.</summary>
    public ulong Look() => Shared.Load(_cell) & ~Sleeper;

    /// <summary>Sleeps until somebody rings, or a while; not at all when somebody rang since the look.</summary>
    /// <param name="seen">What the look gave.</param>
    /// <param name="nanoseconds">The while, less than a second.</param>
    public void Sleep(ulong seen, uint nanoseconds)
    {
        ulong now = Shared.Load(_cell);
        if ((now & ~Sleeper) != seen) return;
        if ((now & Sleeper) == 0 && Shared.CompareExchange(_cell, seen | Sleeper, seen) != seen) return;
        Wait.OnWord(_cell, seen | Sleeper, nanoseconds);
    }

    /// <summary>Wakes everybody who sleeps, and keeps from sleeping who looked before.</summary>
    public void Ring()
    {
        if (((Shared.Add(_cell, OneRing) - OneRing) & Sleeper) == 0) return;
        // Who falls asleep between the two operations has the cell change under him, or is woken.
        Shared.And(_cell, ~Sleeper);
        Wait.WakeAll(_cell);
    }
}
