namespace Pagoda.Reclaim;

/// <summary>What goes before any page does: frames that were set aside for superpages and that nobody took.</summary>
public sealed unsafe partial class PageDaemon
{
    /// <summary>Breaks reservations, the least recently used first; returns frames that are free by that.</summary>
    private int BreakRuns(int wanted)
    {
        int freed = 0;
        while (freed < wanted)
        {
            int given = _arena.Reservations.BreakOldest();
            if (given == 0) break;
            freed += given;
        }
        return freed;
    }
}
