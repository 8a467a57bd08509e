using Pagoda.Core;
using Pagoda.Physical;
using Pagoda.Tlb;

namespace Pagoda.Simulator.Scenarios;

/// <summary>
/// Walkers enter and leave while the end of their guest is announced: behind the wait nobody is inside any more, and
/// what they walked is free.
/// </summary>
internal sealed unsafe class EndScenario(string name, int walkers) : Scenario
{
    private const int Frames = 4;
    private const int Turns = 3;

    public override string Name { get; } = name;

    public override int TypicalSteps => 20 * walkers + 30;

    public override void Play(Stage stage)
    {
        using Arena arena = stage.Arena(Frames);
        using var table = new ConsumerTable(walkers);
        ulong free = arena.Allocator.FreeFrames;
        uint root = arena.Allocator.TryTake(0);
        arena.Frames.ToTable(root, 0, Paging.LevelsMax);
        stage.Watch.Attach(arena);
        for (int i = 0; i < walkers; i++)
        {
            _ = table.TryRegister(out int slot);
            stage.Add("walker " + i, () =>
            {
                for (int turn = 0; turn < Turns && table.EnterWalker(slot); turn++)
                {
                    Shared.Load((ulong*)arena.DirectMap((ulong)root << Paging.PageShift));
                    table.Exit(slot);
                }
            });
        }
        stage.Add("destroyer", () =>
        {
            stage.Require(table.BeginDestroy(), "somebody else was first");
            table.WaitAllInactive();
            arena.Allocator.Give(root, 0);
        });
        stage.Play();
        stage.Require(arena.Allocator.FreeFrames == free, "frames were lost");
    }
}
