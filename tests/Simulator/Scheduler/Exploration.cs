using Pagoda.Simulator.Memory;
using Pagoda.Simulator.Scenarios;

namespace Pagoda.Simulator.Scheduling;

/// <summary>Plays every schedule of a scenario with a bounded number of preemptions.</summary>
internal sealed class Exploration(Simulation simulation, Scenario scenario, MemoryMode mode)
{
    private readonly Simulation _simulation = simulation;
    private readonly Scenario _scenario = scenario;
    private readonly MemoryMode _mode = mode;

    /// <summary>Schedules played, those of passes that had to be repeated too.</summary>
    public long Schedules { get; private set; }

    /// <summary>Every schedule within the bound was played.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>The first violation.</summary>
    public Outcome? Failure { get; private set; }

    /// <summary>Goes through them, at most so many.</summary>
    public void Run(int preemptions, long schedulesMax)
    {
        var policy = new ExplorerPolicy();
        for (int bound = 1; bound <= preemptions; bound++)
        {
            do
            {
                policy.Restart(bound);
                if (!Pass(policy, schedulesMax)) return;
            }
            while (policy.HasLearnt);
        }
        IsComplete = true;
    }

    private bool Pass(ExplorerPolicy policy, long schedulesMax)
    {
        do
        {
            if (Schedules++ == schedulesMax) return false;
            Outcome outcome = _simulation.Run(_scenario, 1, _mode, policy);
            if (outcome.Violation is null) continue;
            Failure = outcome;
            return false;
        }
        while (policy.TryAdvance());
        return true;
    }
}
