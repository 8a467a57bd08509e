using NUnit.Framework;
using Pagoda.Simulator.Memory;
using Pagoda.Simulator.Scenarios;
using Pagoda.Simulator.Scheduling;

namespace Pagoda.Tests.Simulator;

/// <summary>The memory of the simulator shows what processors show, and nothing that they do not.</summary>
internal sealed class StoreBufferTests
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
}
