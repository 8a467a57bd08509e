using NUnit.Framework;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Reclaim;

/// <summary>Reclaim from end to end over a swap file, in every table format, against a shadow of every byte.</summary>
[TestFixtureSource(typeof(GuestFormats), nameof(GuestFormats.All))]
public sealed class SwapModelTests(GuestFormat format)
{
    private const int Operations = 4_000;

    [TestCase(0UL, 400U, TestName = "NothingIsLostWithRoomInTheStore")]
    [TestCase(150UL, 400U, TestName = "NothingIsLostWithinABudget")]
    [TestCase(0UL, 60U, TestName = "NothingIsLostWhenFramesAndSlotsRunDry")]
    public void NothingIsLost(ulong residentFrames, uint slots)
    {
        ulong seed = 0x5EED + slots + residentFrames;
        using var model = new SwapModel(format, arenaFrames: 260, residentFrames, slots, seed);
        model.Run(Operations);
        Assert.That(model.Sum(static counters => counters.SwapIns), Is.GreaterThan(200));
        Assert.That(model.Sum(static counters => counters.SwapOuts), Is.GreaterThan(200));
        Assert.That(model.Sum(static counters => counters.CleanEvictions), Is.GreaterThan(20));
        Assert.That(model.Sum(static counters => counters.ZeroPagesElided), Is.Positive);
        bool isDry = slots < 100;
        Assert.That(model.Exhaustions, isDry ? Is.Positive : Is.Zero);
        Assert.That(model.SwapFulls, isDry ? Is.Positive : Is.Zero);
    }

    [Test]
    public void FailingTransfersCostTheirOwnPagesAlone()
    {
        using var model = new SwapModel(format, arenaFrames: 260, residentFrames: 150, slots: 400, seed: 0xFA17,
            isFaulty: true);
        model.Run(2 * Operations);
        Assert.That(model.Lost, Is.GreaterThan(5));
        Assert.That(model.WriteErrors, Is.Positive);
        Assert.That(model.Faults!.FailedWrites, Is.GreaterThan(20));
        Assert.That(model.Faults!.ShortCalls, Is.GreaterThan(8));
        Assert.That(model.Sum(static counters => counters.SwapIns), Is.GreaterThan(200));
    }

    [Test]
    public void NothingIsLostBesideTheDaemonsThreads()
    {
        using var model = new SwapModel(format, arenaFrames: 260, residentFrames: 150, slots: 400, seed: 0x7EAD,
            threads: 2);
        model.Run(Operations);
        Assert.That(model.Lost, Is.Zero);
        Assert.That(model.Exhaustions, Is.Zero);
        Assert.That(model.Sum(static counters => counters.SwapIns), Is.GreaterThan(200));
    }
}
