namespace Pagoda.Simulator.Scheduling;

/// <summary>Who runs next, for how long, and whose stores leave their buffers.</summary>
internal abstract class Policy
{
    /// <summary>A schedule of so many actors begins. Returns the actor that runs first.</summary>
    public abstract int Begin(Scheduler scheduler);

    /// <summary>Steps until <see cref="Choose"/> is asked again.</summary>
    public abstract int RunLength(Scheduler scheduler);

    /// <summary>
    /// The actor that runs next, which must be ready. Stores may be drained here.
    /// </summary>
    /// <param name="scheduler">The actors.</param>
    /// <param name="current">Who runs now; -1 when it has finished or sleeps.</param>
    /// <param name="waits">The current one cannot go on until something changes.</param>
    public abstract int Choose(Scheduler scheduler, int current, bool waits);
}
