using Pagoda.Core;
using Pagoda.Simulator.Scenarios;

namespace Pagoda.Tests.Simulator;

/// <summary>Each stores to its cell, then loads the other's.</summary>
internal sealed unsafe class StoreBuffering(bool fenced) : Scenario
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

/// <summary>One stores data, then a flag; the other loads the flag, then the data.</summary>
internal sealed unsafe class MessagePassing(bool plain) : Scenario
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
