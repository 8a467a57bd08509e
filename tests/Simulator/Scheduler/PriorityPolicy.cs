using System;

namespace Pagoda.Simulator.Scheduling;

/// <summary>
/// The actor of the highest priority runs; at a few random steps the running one becomes the last. It finds orders that
/// need few switches in the right places (Burckhardt and others, "A Randomized Scheduler with Probabilistic Guarantees
/// of Finding Bugs").
/// </summary>
internal sealed class PriorityPolicy : Policy
{
    private const int ActorsMax = 16;
    private const int ChangesMax = 12;

    private readonly int[] _priorities = new int[ActorsMax];
    private readonly long[] _changes = new long[ChangesMax + 1];
    private Rng _rng;
    private int _next;
    private int _low;
    private int _drainOneIn;

    /// <summary>Draws the switches from a seed.</summary>
    public PriorityPolicy Seed(ulong seed, int typicalSteps)
    {
        _rng = new Rng(seed);
        int count = 1 + _rng.Below(ChangesMax);
        for (int i = 0; i < count; i++) _changes[i] = _rng.Below(typicalSteps);
        Array.Sort(_changes, 0, count);
        for (int i = count; i <= ChangesMax; i++) _changes[i] = long.MaxValue;
        _next = 0;
        _low = 0;
        _drainOneIn = 2 + _rng.Below(40);
        return this;
    }

    public override int Begin(Scheduler scheduler)
    {
        for (int i = 0; i < scheduler.Count; i++) _priorities[i] = 1 + (int)(_rng.Next() >> 40);
        return Highest(scheduler);
    }

    public override int RunLength(Scheduler scheduler) =>
        (int)long.Min(_changes[_next] - scheduler.Steps, int.MaxValue / 2);

    public override int Choose(Scheduler scheduler, int current, bool waits)
    {
        RandomPolicy.Drain(scheduler, ref _rng, _drainOneIn);
        bool isChange = scheduler.Steps >= _changes[_next];
        while (scheduler.Steps >= _changes[_next]) _next++;
        if (current >= 0 && (isChange || waits)) _priorities[current] = --_low;
        return Highest(scheduler);
    }

    private int Highest(Scheduler scheduler)
    {
        int best = -1;
        for (int i = 0; i < scheduler.Count; i++)
        {
            if (scheduler[i].IsReady && (best < 0 || _priorities[i] > _priorities[best])) best = i;
        }
        return best;
    }
}
