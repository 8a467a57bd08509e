using System;
using System.Collections.Generic;
using Pagoda.Core;
using Pagoda.GuestAccess;
using Pagoda.Simulator.Checks;

namespace Pagoda.Simulator.Scenarios;

/// <summary>One moment each, with what leads up to it done before: for rules that little else shows.</summary>
internal static class NarrowScenarios
{
    private const int Hardware = 0;
    private const int Emulated = 1;

    /// <summary>Each with the preemptions up to which a check goes through it.</summary>
    public static IReadOnlyList<(Scenario Scenario, int Preemptions)> All { get; } =
    [
        (new LimboScenario("small-limbo-waiting", consumers: 0, walkers: 1, rounds: 1, waiting: 1), 2),
        (new CodeScenario("small-code", writers: 2, executors: 1, stores: 1, turns: 2), 2),
        (new CodeScenario("small-code-decoded", writers: 2, executors: 1, stores: 1, turns: 1, decoded: true), 2),
        (new ScriptedScenario("small-hold-read", Swapping with { Vcpus = 0 }, static cast =>
        {
            cast.Actor("device", () => cast.Device.HoldAndUse(0, Prot.Read));
            cast.Actor("daemon", () => cast.World.Daemon!.Reclaim(1));
        }), 2),
        (new ScriptedScenario("small-hold-discard", new GuestPlan
        {
            Format = Hardware, Pages = 2, Vcpus = 0, ControlTurns = 1, TypicalSteps = 300,
            Control = ControlWork.Discard,
        }, static cast =>
        {
            cast.Actor("device", () => cast.Device.HoldAndUse(0, Prot.Read));
            cast.Actor("control", () => cast.Control.DiscardPart(0));
        }), 2),
        (new ScriptedScenario("small-sweep-harvest", Swapping with { Format = Emulated, ControlTurns = 1 },
            static cast =>
        {
            // A sweep that moved M, so that harvests look at frames; then M again.
            cast.Vcpus[0].Count(0);
            cast.Vcpus[0].Exit();
            cast.World.Daemon!.Age();
            cast.Control.Harvest();
            cast.Vcpus[0].Poll();
            cast.Vcpus[0].Count(0);
            cast.Vcpu(0, static vcpu => _ = vcpu.Poll() && vcpu.Store(0));
            cast.Actor("sweeper", () => cast.World.Daemon!.Age());
            cast.Actor("control", () =>
            {
                cast.Control.Harvest();
                cast.Control.Harvest();
            });
        }), 1),
        (new ScriptedScenario("small-sweep-launder", Swapping with { Format = Emulated }, static cast =>
        {
            // Written once, and idle since: what a launderer looks for. The vCPU is inside, and has it for reading.
            cast.Vcpus[0].Count(0);
            cast.Vcpus[0].Exit();
            cast.World.Daemon!.Age();
            cast.World.Daemon!.Age();
            cast.Vcpus[0].Load(0, 0);
            cast.Vcpu(0, static vcpu => _ = vcpu.Poll() && vcpu.Store(0) && vcpu.Poll() && vcpu.Store(0));
            cast.Actor("sweeper", () => cast.World.Daemon!.Age());
            cast.Actor("launderer", () => cast.World.Daemon!.Launder(2));
        }), 1),
        (new ScriptedScenario("small-removal", Swapping with { Format = Hardware, Clean = true }, static cast =>
        {
            cast.Vcpus[0].Load(0, 0);
            cast.Vcpu(0, static vcpu => vcpu.Store(0));
            cast.Actor("daemon", () => cast.World.Daemon!.Reclaim(2));
        }), 1),
        (new ScriptedScenario("small-fault-3", Swapping with { Vcpus = 3 }, static cast =>
        {
            cast.World.Daemon!.Reclaim(2);
            for (int i = 0; i < 3; i++) cast.Vcpu(i, static vcpu => vcpu.Load(0, 0));
        }), 1),
        (new ScriptedScenario("small-fault-error", Swapping with { Vcpus = 2, FailsOneIn = 1 }, static cast =>
        {
            cast.World.Daemon!.Reclaim(2);
            for (int i = 0; i < 2; i++) cast.Vcpu(i, static vcpu => vcpu.Load(0, 0));
        }), 1),
        (new ScriptedScenario("small-release", new GuestPlan
        {
            Format = Hardware, Pages = 2, Vcpus = 0, TypicalSteps = 20,
        }, static cast =>
        {
            var first = new GuestSpan[1];
            var second = new GuestSpan[1];
            var gpa = new Gpa(cast.World.GpaOf(0));
            cast.World.Guest.Hold(gpa, Paging.PageBytes, Prot.Read, first, out _);
            cast.World.Guest.Hold(gpa, Paging.PageBytes, Prot.Read, second, out _);
            cast.Control.DiscardPart(0);
            cast.Actor("first", () => cast.World.Guest.Release(first));
            cast.Actor("second", () => cast.World.Guest.Release(second));
        }), 2),
        (new ScriptedScenario("small-destroy-short", Swapping with
        {
            Pages = 8, Slots = 16, ResidentFrames = 12, Destroys = true,
        }, static cast =>
        {
            // Faults make room for themselves, and their guest goes: neither may wait for the other.
            cast.World.Daemon!.Reclaim(2);
            cast.Vcpu(0, static vcpu => _ = vcpu.Load(0, 0) && vcpu.Load(1, 0) && vcpu.Load(2, 0));
            cast.Actor("destroyer", cast.World.Guest.Dispose);
        }), 1),
        (new ScriptedScenario("small-promote", Promoting, static cast =>
        {
            // None of the pages that are there was written.
            cast.Vcpus[0].Load(1, 0);
            cast.Vcpu(0, static vcpu => vcpu.Store(1));
            cast.Vcpu(1, static vcpu => vcpu.Load(0, 0));
        }), 1),
        (new ScriptedScenario("small-promote-rights", Promoting with
        {
            Pages = 6, Control = ControlWork.Protect,
        }, static cast =>
        {
            // The first of them was written, and the second may not be.
            cast.Vcpus[0].Load(1, 0);
            cast.Vcpus[0].Count(0);
            cast.Vcpus[0].Exit();
            cast.World.Guest.Protect(new Gpa(cast.World.GpaOf(1)), Paging.PageBytes, Prot.ReadExecute);
            cast.World.Shadow.Freeze(1, frozen: true);
            cast.Vcpu(0, static vcpu => vcpu.Store(1));
            cast.Vcpu(1, static vcpu => vcpu.Load(2, 0));
        }), 1),
    ];

    /// <summary>A window that lacks one page to be a superpage.</summary>
    private static GuestPlan Promoting => new()
    {
        Format = Hardware, Pages = 4, Vcpus = 2, Frames = 3 * Paging.EntriesPerTable, Slots = 4, Warm = false,
        Superpages = true, PopulatedBy = Prot.Read, TypicalSteps = 700,
    };

    private static GuestPlan Swapping =>
        new() { Format = Hardware, Vcpus = 1, Pages = 2, Slots = 4, DaemonTurns = 1, TypicalSteps = 400 };
}
