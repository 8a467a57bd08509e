using Pagoda.Core;
using Pagoda.Physical;
using Pagoda.Simulator.Scheduling;
using Pagoda.Tlb;

namespace Pagoda.Simulator.Scenarios;

/// <summary>
/// Walkers and consumers follow a pointer to a frame; somebody replaces it and leaves the old frame to limbo. Nobody
/// touches a recycled frame, and all are free in the end.
/// </summary>
internal sealed unsafe class LimboScenario(string name, int consumers, int walkers, int rounds,
    int waiting = 0, bool writes = false) : Scenario
{
    private const int Frames = 6;

    public override string Name { get; } = name;

    public override int TypicalSteps => 60 * rounds + 30 * (consumers + walkers);

    public override void Play(Stage stage)
    {
        using Arena arena = stage.Arena(Frames);
        using var table = new ConsumerTable(consumers + walkers + 1);
        using var limbo = new Limbo(arena, table);
        ulong free = arena.Allocator.FreeFrames;
        ulong* link = stage.Cell();
        *link = Take(arena);
        for (int i = 0; i < waiting; i++) Replace(arena, table, limbo, link, Take(arena));
        stage.Watch.Attach(arena);
        // One moment alone is looked for where something waits from the start.
        int turns = waiting == 0 ? 2 : 1;
        int recyclings = waiting == 0 ? rounds + 1 : rounds;
        stage.Add("recycler", () =>
        {
            for (int round = 0; round < recyclings; round++) limbo.Recycle();
        });
        for (int i = 0; i < consumers; i++)
        {
            Rng choices = stage.ChoicesOf(i);
            _ = table.TryRegister(out int slot);
            stage.Add("consumer " + i, () => Consume(arena, table, link, slot, choices));
        }
        for (int i = 0; i < walkers; i++)
        {
            _ = table.TryRegister(out int slot);
            stage.Add("walker " + i, () =>
            {
                for (int turn = 0; turn < turns; turn++) Walk(stage, arena, table, link, slot, writes);
            });
        }
        stage.Add("unlinker", () =>
        {
            for (int round = 0; round < rounds; round++) Replace(arena, table, limbo, link, Take(arena));
        });
        stage.Play();
        Replace(arena, table, limbo, link, 0);
        limbo.Recycle();
        stage.Require(limbo.Count == 0, "a frame stays in limbo though nobody is active");
        stage.Require(arena.Allocator.FreeFrames == free, "frames were lost");
        arena.Allocator.CheckConsistency();
    }

    private static uint Take(Arena arena)
    {
        uint pfn = arena.Allocator.TryTake(0);
        if (pfn == 0) return 0;
        arena.Frames.ToPage(pfn, 1, 0);
        return pfn;
    }

    private static void Replace(Arena arena, ConsumerTable table, Limbo limbo, ulong* link, uint next)
    {
        var gather = new ShootdownGather(table, limbo);
        // With no frame left the old one stays.
        uint old = next == 0 && SimThread.Current is not null ? 0 : (uint)Shared.Exchange(link, next);
        if (old != 0) gather.Frame(old);
        gather.Commit();
    }

    private static void Walk(Stage stage, Arena arena, ConsumerTable table, ulong* link, int slot, bool writes)
    {
        if (!table.EnterWalker(slot)) return;
        ulong pfn = Shared.Load(link);
        stage.Yield();
        // As a copy into guest memory stores.
        if (writes) Stage.StorePlain((ulong*)arena.DirectMap(pfn << Paging.PageShift), 1);
        else Touch(arena, pfn);
        table.Exit(slot);
    }

    private static void Consume(Arena arena, ConsumerTable table, ulong* link, int slot, Rng choices)
    {
        ulong seen = 0;
        ulong kept = 0;
        for (int turn = 0; turn < 2; turn++)
        {
            if (!table.Enter(slot, ref seen, out bool flush)) return;
            if (flush)
            {
                kept = 0;
                table.Acknowledge(slot, seen);
            }
            int uses = 1 + choices.Below(3);
            for (int use = 0; use < uses; use++)
            {
                if (kept == 0) kept = Shared.Load(link);
                Touch(arena, kept);
                if (!table.MustFlush(slot, ref seen)) continue;
                kept = 0;
                table.Acknowledge(slot, seen);
            }
            table.Exit(slot);
        }
    }

    private static void Touch(Arena arena, ulong pfn) =>
        Shared.Load((ulong*)arena.DirectMap(pfn << Paging.PageShift));
}
