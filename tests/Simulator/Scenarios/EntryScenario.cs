using Pagoda.Core;
using Pagoda.Simulator.Checks;
using Pagoda.Simulator.Scheduling;
using Pagoda.Tlb;

namespace Pagoda.Simulator.Scenarios;

/// <summary>
/// Consumers that keep one translation, and takers that change the entry and wait: behind the wait nobody loads or
/// stores through what was there before.
/// </summary>
internal sealed unsafe class EntryScenario(string name, int consumers, int takers, int turns) : Scenario
{
    public override string Name { get; } = name;

    public override int TypicalSteps => 30 * (consumers * turns + takers * 2);

    public override void Play(Stage stage)
    {
        using var table = new ConsumerTable(consumers + takers);
        ulong* entry = stage.Cell();
        *entry = 1;
        // By translation: taken away and waited for.
        bool[] taken = new bool[2 + 2 * takers];
        ulong next = 2;
        for (int i = 0; i < consumers; i++)
        {
            Rng choices = stage.ChoicesOf(i);
            var consumer = new TranslationConsumer(stage, table, entry, taken, i);
            stage.Add("consumer " + i, () => consumer.Run(turns, choices));
        }
        for (int i = 0; i < takers; i++)
        {
            stage.Add("taker " + i, () =>
            {
                for (int turn = 0; turn < 2; turn++)
                {
                    ulong before = Shared.Exchange(entry, next++);
                    table.WaitFor(table.Advance());
                    taken[before] = true;
                }
            });
        }
        stage.Play();
    }
}
