namespace Pagoda.Simulator.Scheduling;

/// <summary>
/// Actors run for as long as they can; each stops at a few steps of its own until nobody else goes on. It finds what
/// goes wrong when one actor is late by a long time at one place, however many steps the others make.
/// </summary>
internal sealed class PausePolicy : Policy
{
    private const int ActorsMax = 16;
    private const int SoonSteps = 8;

    private readonly int[] _priorities = new int[ActorsMax];
    private readonly long[] _ran = new long[ActorsMax];
    private readonly long[] _pauses = new long[ActorsMax];
    private Rng _rng;
    private long _grantedAt;
    private int _running;
    private int _typicalSteps;
    private int _low;
    private int _own;
    private int _drainOneIn;

    /// <summary>Draws the pauses from a seed.</summary>
    public PausePolicy Seed(ulong seed, int typicalSteps)
    {
        _rng = new Rng(seed);
        _typicalSteps = typicalSteps;
        _low = 0;
        _drainOneIn = 1 + _rng.Below(20);
        return this;
    }

    public override int Begin(Scheduler scheduler)
    {
        // Actors differ in how much they do, so the steps that are drawn from do too.
        _own = int.Max(8, _typicalSteps / scheduler.Count >> _rng.Below(4));
        for (int i = 0; i < scheduler.Count; i++)
        {
            _priorities[i] = 1 + (int)(_rng.Next() >> 40);
            _ran[i] = 0;
            _pauses[i] = _rng.OneIn(4) ? long.MaxValue : _rng.Below(_own);
        }
        return _running = Highest(scheduler);
    }

    public override int RunLength(Scheduler scheduler)
    {
        _grantedAt = scheduler.Steps;
        return (int)long.Clamp(_pauses[_running] - _ran[_running], 1, int.MaxValue / 2);
    }

    public override int Choose(Scheduler scheduler, int current, bool waits)
    {
        RandomPolicy.Drain(scheduler, ref _rng, _drainOneIn);
        _ran[_running] += scheduler.Steps - _grantedAt;
        bool pauses = _ran[_running] >= _pauses[_running];
        if (pauses) _pauses[_running] = _rng.OneIn(3) ? long.MaxValue : _ran[_running] + NextPause();
        if (current >= 0 && (pauses || waits)) _priorities[current] = --_low;
        return _running = Highest(scheduler);
    }

    // What goes wrong with two pauses often needs them close to each other.
    private int NextPause() => 1 + _rng.Below(_rng.OneIn(2) ? SoonSteps : _own);

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
