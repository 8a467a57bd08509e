using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Tlb;

namespace Pagoda.Tests.Tlb;

/// <summary>Slots are given out once, and a table starts at generation 1 with nobody inside.</summary>
public sealed class ConsumerTableTests
{
    [Test]
    public void SlotsAreGivenOutOnceAndAgainAfterTheyWereGivenBack()
    {
        using var table = new ConsumerTable(3);
        for (int expected = 0; expected < 3; expected++)
        {
            Assert.That(table.TryRegister(out int slot));
            Assert.That(slot, Is.EqualTo(expected));
        }
        Assert.That(table.TryRegister(out int none), Is.False);
        Assert.That(none, Is.EqualTo(-1));
        table.Unregister(1);
        Assert.That(table.TryRegister(out int again));
        Assert.That(again, Is.EqualTo(1));
    }

    [Test]
    public void AFreshTableIsAtGenerationOne()
    {
        using var table = new ConsumerTable(1);
        Assert.That(table.Generation, Is.EqualTo(1));
        Assert.That(table.Invalidations, Is.Zero);
        Assert.That(table.Kicks, Is.Zero);
        Assert.That(table.IsDying, Is.False);
    }

    [Test]
    public void AnActiveConsumerCannotGiveUpItsSlot()
    {
        using var table = new ConsumerTable(1);
        Assert.That(table.TryRegister(out int slot));
        Assert.That(table.EnterWalker(slot));
        Assert.That(() => table.Unregister(slot), Throws.TypeOf<InvariantException>());
        table.Exit(slot);
        table.Unregister(slot);
        Assert.That(() => table.Unregister(slot), Throws.TypeOf<InvariantException>());
    }
}
