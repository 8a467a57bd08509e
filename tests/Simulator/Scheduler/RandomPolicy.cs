namespace Pagoda.Simulator.Scheduling;

/// <summary>
/// Switches at random steps: evenly over the whole schedule, or densely from a random step on. When the hand-overs of a
/// schedule are used up, the rest of it runs on with few.
/// </summary>
internal sealed class RandomPolicy : Policy
{
    private const int HandoversMax = 300;
    private const int FewHandovers = 25;
    private const int LongRun = 3000;

    private Rng _rng;
    private int _mean;
    private int _denseFrom;
    private int _drainOneIn;
    private int _spurOneIn;

    /// <summary>Draws a manner of switching from a seed.</summary>
    public RandomPolicy Seed(ulong seed, int typicalSteps)
    {
        _rng = new Rng(seed);
        int evenly = int.Max(1, typicalSteps / HandoversMax);
        int few = int.Max(2, typicalSteps / FewHandovers);
        switch (_rng.Below(4))
        {
            case 0:
                _denseFrom = 0;
                _mean = evenly * (1 + _rng.Below(5));
                break;
            case 1:
                _denseFrom = 0;
                _mean = 1 + _rng.Below(few);
                break;
            default:
                _denseFrom = _rng.Below(typicalSteps);
                _mean = 1 + _rng.Below(int.Min(few, 10));
                break;
        }
        _drainOneIn = 1 + _rng.Below(12);
        _spurOneIn = 2 + _rng.Below(30);
        return this;
    }

    public override int Begin(Scheduler scheduler) => _rng.Below(scheduler.Count);

    public override int RunLength(Scheduler scheduler)
    {
        if (scheduler.Handovers > HandoversMax) return LongRun;
        if (scheduler.Steps < _denseFrom) return 1 + _rng.Below((int)(_denseFrom - scheduler.Steps));
        return 1 + _rng.Below(2 * _mean - 1);
    }

    public override int Choose(Scheduler scheduler, int current, bool waits)
    {
        Drain(scheduler, ref _rng, _drainOneIn);
        return Any(scheduler, current, waits, ref _rng, _spurOneIn);
    }

    /// <summary>Lets some stores leave some buffers.</summary>
    internal static void Drain(Scheduler scheduler, ref Rng rng, int oneIn)
    {
        for (int i = 0; i < scheduler.Count; i++)
        {
            SimThread thread = scheduler[i];
            while (thread.Buffer.Count != 0 && rng.OneIn(oneIn)) thread.Buffer.DrainOne(rng.Below(thread.Buffer.Count));
        }
    }

    /// <summary>Any ready actor; one that waits only for want of others, or once in a while.</summary>
    internal static int Any(Scheduler scheduler, int current, bool waits, ref Rng rng, int spurOneIn)
    {
        bool spurs = rng.OneIn(spurOneIn);
        int at = rng.Below(scheduler.Count);
        int fallback = -1;
        for (int i = 0; i < scheduler.Count; i++, at = at + 1 == scheduler.Count ? 0 : at + 1)
        {
            SimThread thread = scheduler[at];
            if (!thread.IsReady || (waits && at == current)) continue;
            if (!thread.IsWaiting || spurs) return at;
            if (fallback < 0) fallback = at;
        }
        return fallback < 0 ? current : fallback;
    }
}
