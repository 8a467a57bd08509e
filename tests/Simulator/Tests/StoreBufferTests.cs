using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Simulator.Memory;
using Pagoda.Simulator.Scenarios;
using Pagoda.Simulator.Scheduling;

namespace Pagoda.Tests.Simulator;

/// <summary>The memory of the simulator shows what processors show, and nothing that they do not.</summary>
internal sealed unsafe class StoreBufferTests
{
    private const int Seeds = 3000;

    private static readonly MemoryMode[] s_modes = [MemoryMode.Tso, MemoryMode.Weak];

    [TestCaseSource(nameof(s_modes))]
    public void TwoThreadsMayBothMissTheOthersStore(MemoryMode mode) =>
        Assert.That(Plays(new StoreBuffering(fenced: false), mode), Is.True);

    [TestCaseSource(nameof(s_modes))]
    public void BehindFullFencesOneSeesTheOther(MemoryMode mode) =>
        Assert.That(Plays(new StoreBuffering(fenced: true), mode), Is.False);

    [TestCaseSource(nameof(s_modes))]
    public void WhatIsInFrontOfAReleaseIsSeenWithIt(MemoryMode mode) =>
        Assert.That(Plays(new MessagePassing(plain: false), mode), Is.False);

    [Test]
    public void PlainStoresKeepTheirOrderOnX86() =>
        Assert.That(Plays(new MessagePassing(plain: true), MemoryMode.Tso), Is.False);

    [Test]
    public void PlainStoresOvertakeOneAnotherWhereMemoryIsWeak() =>
        Assert.That(Plays(new MessagePassing(plain: true), MemoryMode.Weak), Is.True);

    /// <summary>Does any seed show the outcome that the scenario looks for?</summary>
    private static bool Plays(Scenario scenario, MemoryMode mode)
    {
        Simulation simulation = Workers.Simulation;
        for (ulong seed = 1; seed <= Seeds; seed++)
        {
            if (simulation.Run(scenario, seed, mode).Violation is not null) return true;
        }
        return false;
    }

    private sealed class StoreBuffering(bool fenced) : Scenario
    {
        public override string Name => "store-buffering";

        public override int TypicalSteps => 8;

        public override void Play(Stage stage)
        {
            ulong* x = stage.Cell();
            ulong* y = stage.Cell();
            ulong seenX = 1;
            ulong seenY = 1;
            stage.Add("one", () => seenY = StoreThenLoad(x, y));
            stage.Add("two", () => seenX = StoreThenLoad(y, x));
            stage.Play();
            stage.Require(seenX + seenY != 0, "both loads missed the other's store");
        }

        private ulong StoreThenLoad(ulong* mine, ulong* other)
        {
            Shared.Store(mine, 1);
            if (fenced) Shared.Fence();
            return Shared.Load(other);
        }
    }

    private sealed class MessagePassing(bool plain) : Scenario
    {
        public override string Name => "message-passing";

        public override int TypicalSteps => 8;

        public override void Play(Stage stage)
        {
            ulong* data = stage.Cell();
            ulong* flag = stage.Cell();
            stage.Add("sender", () =>
            {
                Shared.StorePlain(data, 1);
                if (plain) Shared.StorePlain(flag, 1);
                else Shared.Store(flag, 1);
            });
            stage.Add("receiver", () =>
            {
                if (Shared.Load(flag) == 1) stage.Require(Shared.Load(data) == 1, "the flag came before the data");
            });
            stage.Play();
        }
    }
}
