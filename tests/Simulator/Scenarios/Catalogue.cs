using System;
using System.Collections.Generic;
using Pagoda.Simulator.Checks;

namespace Pagoda.Simulator.Scenarios;

/// <summary>Every scenario, by name.</summary>
internal static class Catalogue
{
    public static IReadOnlyList<Scenario> All { get; } =
    [
        new EntryScenario("entry-2x1", consumers: 2, takers: 1, turns: 3),
        new EntryScenario("entry-1x2", consumers: 1, takers: 2, turns: 4),
        new LimboScenario("limbo-1-1", consumers: 1, walkers: 1, rounds: 2),
        new LimboScenario("limbo-0-2", consumers: 0, walkers: 2, rounds: 2),
        new LimboScenario("limbo-2-0", consumers: 2, walkers: 0, rounds: 2),
        new LimboScenario("limbo-write", consumers: 0, walkers: 2, rounds: 2, writes: true),
        new GuestScenario("hold-evict", new GuestPlan
        {
            TypicalSteps = 1000, Vcpus = 1, Accesses = 4, DaemonTurns = 2, DeviceTurns = 4, Pages = 2, Slots = 8,
        }),
        new GuestScenario("hold-only", new GuestPlan
        {
            TypicalSteps = 500, Vcpus = 0, DaemonTurns = 3, DeviceTurns = 5, Pages = 2, Slots = 8,
        }),
        new GuestScenario("hold-clean", new GuestPlan
        {
            TypicalSteps = 500, Vcpus = 0, DaemonTurns = 3, DeviceTurns = 6, Pages = 2, Slots = 8, Clean = true,
        }),
        new GuestScenario("hold-harvest", new GuestPlan
        {
            TypicalSteps = 400, Vcpus = 0, DeviceTurns = 5, ControlTurns = 4, Control = ControlWork.Harvest, Pages = 2,
        }),
        new GuestScenario("write-faulty", new GuestPlan
        {
            TypicalSteps = 1000, Vcpus = 2, Accesses = 5, DaemonTurns = 3, Pages = 2, Slots = 8, FailsOneIn = 3,
        }),
        new GuestScenario("hold-discard", new GuestPlan
        {
            TypicalSteps = 700, Vcpus = 0, DeviceTurns = 5, ControlTurns = 2, Control = ControlWork.Discard, Pages = 2,
        }),
        new GuestScenario("sweep", new GuestPlan
        {
            TypicalSteps = 700, Vcpus = 2, Accesses = 6, DaemonTurns = 4, OnlyAges = true, ControlTurns = 3,
            Control = ControlWork.Harvest, Pages = 2, Slots = 8, Format = 1,
        }),
        new GuestScenario("write-evict", new GuestPlan
        {
            TypicalSteps = 1500, Vcpus = 2, Accesses = 6, DaemonTurns = 3, Pages = 2, Slots = 8,
        }),
        new GuestScenario("harvest", new GuestPlan
        {
            TypicalSteps = 800, Vcpus = 2, Accesses = 6, DaemonTurns = 1, ControlTurns = 2,
            Control = ControlWork.Harvest, Pages = 2, Slots = 8,
        }),
        new GuestScenario("protect", new GuestPlan
        {
            TypicalSteps = 600, Vcpus = 2, Accesses = 6, ControlTurns = 2, Control = ControlWork.Protect, Pages = 2,
        }),
        new GuestScenario("discard", new GuestPlan
        {
            TypicalSteps = 1300, Vcpus = 2, Accesses = 6, DeviceTurns = 2, ControlTurns = 2,
            Control = ControlWork.Discard, Pages = 2,
        }),
        new GuestScenario("read-busy", new GuestPlan
        {
            TypicalSteps = 1200, Vcpus = 3, Accesses = 4, DaemonTurns = 2, Pages = 2, Slots = 8, FailsOneIn = 6,
        }),
        new GuestScenario("short", new GuestPlan
        {
            TypicalSteps = 2500, Vcpus = 3, Accesses = 5, DaemonTurns = 1, Pages = 8, Frames = 24, Slots = 16,
            Warm = false,
        }),
        new GuestScenario("first-touch", new GuestPlan
        {
            TypicalSteps = 550, Vcpus = 3, Accesses = 4, Pages = 4, Warm = false,
        }),
        new GuestScenario("destroy", new GuestPlan
        {
            TypicalSteps = 3000, Vcpus = 2, Accesses = 5, DaemonTurns = 1, DeviceTurns = 3, Pages = 2, Slots = 8,
            Destroys = true,
        }),
        new GuestScenario("leave", new GuestPlan
        {
            TypicalSteps = 1500, Vcpus = 3, Accesses = 3, Pages = 4, Warm = false, Destroys = true, Leaves = true,
        }),
        new GuestScenario("drop", new GuestPlan
        {
            TypicalSteps = 1800, Vcpus = 2, Accesses = 6, DaemonTurns = 2, DeviceTurns = 2, DropTurns = 3, Pages = 2,
            Slots = 8,
        }),
        new GuestScenario("drop-shared", new GuestPlan
        {
            TypicalSteps = 1800, Vcpus = 3, Accesses = 5, DaemonTurns = 2, DeviceTurns = 2, DropTurns = 2, Pages = 2,
            Slots = 8, Shared = true,
        }),
        new GuestScenario("destroy-short", new GuestPlan
        {
            TypicalSteps = 3000, Vcpus = 3, Accesses = 6, DaemonTurns = 1, Pages = 8, Slots = 16, ResidentFrames = 12,
            Destroys = true,
        }),
        new GuestScenario("promote", new GuestPlan
        {
            TypicalSteps = 6000, Vcpus = 2, Accesses = 6, ControlTurns = 1, Frames = 1536, Pages = 2, Warm = false,
            Superpages = true, Control = ControlWork.Harvest | ControlWork.Protect,
        }),
        new GuestScenario("promote-evict", new GuestPlan
        {
            TypicalSteps = 6000, Vcpus = 2, Accesses = 6, DaemonTurns = 2, Frames = 1536, Pages = 2, Warm = false,
            Superpages = true, Slots = 600,
        }),
        new EndScenario("end-2", walkers: 2),
        new CodeScenario("code-1-1", writers: 1, executors: 1),
        new CodeScenario("code-2-1", writers: 2, executors: 1),
        new CodeScenario("code-2-2", writers: 2, executors: 2),
        new GuestScenario("hold-orphan", new GuestPlan
        {
            TypicalSteps = 800, Vcpus = 0, DeviceTurns = 3, Holders = 2, ControlTurns = 2,
            Control = ControlWork.Discard, Pages = 2,
        }),
        new GuestScenario("launder", new GuestPlan
        {
            TypicalSteps = 1800, Vcpus = 2, Accesses = 6, DaemonTurns = 4, Launders = true, DeviceTurns = 2, Pages = 2,
            Slots = 8,
        }),
        new GuestScenario("two-daemons", new GuestPlan
        {
            TypicalSteps = 2500, Vcpus = 2, Accesses = 6, DaemonTurns = 3, Daemons = 2, Launders = true, Pages = 4,
            Slots = 8, FailsOneIn = 10,
        }),
        new GuestScenario("wire", new GuestPlan
        {
            TypicalSteps = 1500, Vcpus = 2, Accesses = 5, DaemonTurns = 2, ControlTurns = 2, Pages = 2, Slots = 8,
            Control = ControlWork.Wire | ControlWork.Harvest,
        }),
        new GuestScenario("move", new GuestPlan
        {
            TypicalSteps = 1500, Vcpus = 2, Accesses = 5, DaemonTurns = 2, DeviceTurns = 2, ControlTurns = 2, Pages = 2,
            Slots = 8, Control = ControlWork.Move | ControlWork.Harvest,
        }),
        new GuestScenario("advise", new GuestPlan
        {
            TypicalSteps = 1500, Vcpus = 2, Accesses = 5, DaemonTurns = 2, ControlTurns = 3, Pages = 4, Slots = 8,
            Control = ControlWork.Advise | ControlWork.Harvest,
        }),
        new GuestScenario("shared", new GuestPlan
        {
            TypicalSteps = 1800, Vcpus = 3, Accesses = 5, DaemonTurns = 3, DeviceTurns = 2, Pages = 2, Slots = 8,
            Shared = true,
        }),
        new GuestScenario("budget", new GuestPlan
        {
            TypicalSteps = 3000, Vcpus = 3, Accesses = 6, DaemonTurns = 1, DeviceTurns = 2, Pages = 8, Slots = 16,
            ResidentFrames = 20,
        }),
        new GuestScenario("mixed", new GuestPlan
        {
            TypicalSteps = 2200, Vcpus = 3, Accesses = 6, DaemonTurns = 3, DeviceTurns = 3, ControlTurns = 3, Pages = 4,
            Slots = 8,
            Control = ControlWork.Harvest | ControlWork.Protect | ControlWork.Discard,
        }),
    ];

    public static Scenario Find(string name)
    {
        foreach (Scenario scenario in All)
        {
            if (scenario.Name == name) return scenario;
        }
        throw new ArgumentException("No scenario is called '" + name + "'.");
    }
}
