namespace Pagoda.Simulator.Scenarios;

/// <summary>A small world, the actors in it, and what must hold behind them.</summary>
internal abstract class Scenario
{
    /// <summary>How the command line and reports call it.</summary>
    public abstract string Name { get; }

    /// <summary>Steps of a schedule, about: where switches are worth making.</summary>
    public abstract int TypicalSteps { get; }

    /// <summary>Builds the world, plays the actors, checks what is left. Violations are exceptions.</summary>
    public abstract void Play(Stage stage);
}
