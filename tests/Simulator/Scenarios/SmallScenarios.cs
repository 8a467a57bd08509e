using System;
using System.Collections.Generic;
using Pagoda.Core;

namespace Pagoda.Simulator.Scenarios;

/// <summary>The protocols, each as small as it can be, for exploration.</summary>
internal static class SmallScenarios
{
    private const int Emulated = 1;

    /// <summary>Each with the preemptions up to which a check goes through it.</summary>
    public static IReadOnlyList<(Scenario Scenario, int Preemptions)> All { get; } =
    [
        (new EntryScenario("small-entry", consumers: 1, takers: 1, turns: 2), 3),
        (new EntryScenario("small-entry-2", consumers: 2, takers: 1, turns: 1), 2),
        (new LimboScenario("small-limbo", consumers: 0, walkers: 1, rounds: 1), 2),
        (new LimboScenario("small-limbo-consumer", consumers: 1, walkers: 0, rounds: 1), 2),
        (new EndScenario("small-end", walkers: 1), 3),
        (new ScriptedScenario("small-hold", Swapping with { Vcpus = 0 }, static cast =>
        {
            cast.Actor("device", () => cast.Device.HoldAndUse(0, Prot.ReadWrite));
            cast.Actor("daemon", () => cast.World.Daemon!.Reclaim(1));
        }), 2),
        (new ScriptedScenario("small-dirty", Swapping with { Format = Emulated }, static cast =>
        {
            cast.Vcpu(0, static vcpu => _ = vcpu.Store(0) && vcpu.Poll() && vcpu.Store(0));
            cast.Actor("daemon", () => cast.World.Daemon!.Reclaim(1));
        }), 2),
        (new ScriptedScenario("small-age", Swapping with { Format = Emulated }, static cast =>
        {
            cast.Vcpu(0, static vcpu => _ = vcpu.Store(0) && vcpu.Store(0));
            cast.Actor("daemon", () =>
            {
                cast.World.Daemon!.Age();
                cast.World.Daemon!.Reclaim(1);
            });
        }), 1),
        (new ScriptedScenario("small-harvest", Swapping with { Vcpus = 0, ControlTurns = 1 }, static cast =>
        {
            cast.Actor("control", cast.Control.Harvest);
            cast.Actor("daemon", () => cast.World.Daemon!.Reclaim(1));
        }), 2),
        (new ScriptedScenario("small-fault", Swapping with { Vcpus = 2 }, static cast =>
        {
            cast.World.Daemon!.Reclaim(2);
            cast.Vcpu(0, static vcpu => vcpu.Load(0, 0));
            cast.Vcpu(1, static vcpu => vcpu.Store(0));
        }), 2),
        (new ScriptedScenario("small-destroy", Swapping with { Vcpus = 0, Destroys = true }, static cast =>
        {
            cast.Actor("device", () => cast.Device.HoldAndUse(0, Prot.ReadWrite));
            cast.Actor("destroyer", cast.World.Guest.Dispose);
        }), 1),
        (new ScriptedScenario("small-publish", new GuestPlan { Format = 0, Pages = 2, Warm = false, Vcpus = 2 },
            static cast =>
            {
                cast.Vcpu(0, static vcpu => vcpu.Store(0));
                cast.Vcpu(1, static vcpu => vcpu.Load(0, 1));
            }), 2),
        .. NarrowScenarios.All,
    ];

    /// <summary>A small scenario, or one of the catalogue.</summary>
    public static Scenario FindAny(string name) =>
        name.StartsWith("small-", StringComparison.Ordinal) ? Find(name) : Catalogue.Find(name);

    /// <summary>The small scenario of a name.</summary>
    public static Scenario Find(string name)
    {
        foreach ((Scenario scenario, _) in All)
        {
            if (scenario.Name == name) return scenario;
        }
        throw new ArgumentException("No small scenario is called '" + name + "'.");
    }

    private static GuestPlan Swapping =>
        new() { Format = 0, Vcpus = 1, Pages = 2, Slots = 4, DaemonTurns = 1 };
}
