using NUnit.Framework;
using Pagoda.Tlb;

namespace Pagoda.Tests.Tlb;

/// <summary>The consumer's steps, one at a time.</summary>
public sealed class ConsumerTableEnterTests
{
    [Test]
    public void TheFirstEntryFlushesAndTheNextDoesNot()
    {
        using var table = new ConsumerTable(1);
        Assert.That(table.TryRegister(out int slot));
        ulong seen = 0;
        Assert.That(table.Enter(slot, ref seen, out bool flush));
        Assert.That(flush);
        Assert.That(seen, Is.EqualTo(1));
        table.Acknowledge(slot, seen);
        table.Exit(slot);
        Assert.That(table.Enter(slot, ref seen, out flush));
        Assert.That(flush, Is.False);
        table.Exit(slot);
    }

    [Test]
    public void AnEntryFlushesWhatMovedWhileItWasInactive()
    {
        using var table = new ConsumerTable(1);
        Assert.That(table.TryRegister(out int slot));
        ulong seen = 1;
        table.Advance();
        table.Advance();
        Assert.That(table.Enter(slot, ref seen, out bool flush));
        Assert.That(flush);
        Assert.That(seen, Is.EqualTo(3));
        table.Exit(slot);
    }

    [Test]
    public void APollAsksForOneFlushAGeneration()
    {
        using var table = new ConsumerTable(1);
        Assert.That(table.TryRegister(out int slot));
        ulong seen = 1;
        Assert.That(table.Enter(slot, ref seen, out _));
        Assert.That(table.MustFlush(slot, ref seen), Is.False);
        table.Advance();
        Assert.That(table.MustFlush(slot, ref seen));
        table.Acknowledge(slot, seen);
        Assert.That(table.MustFlush(slot, ref seen), Is.False);
        table.Exit(slot);
    }

    [Test]
    public void UntilTheFlushIsAcknowledgedTheOldGenerationHoldsTakersBack()
    {
        using var table = new ConsumerTable(1);
        Assert.That(table.TryRegister(out int slot));
        ulong seen = 1;
        Assert.That(table.Enter(slot, ref seen, out _));
        ulong tag = table.Advance();
        Assert.That(table.MustFlush(slot, ref seen));
        Assert.That(table.Oldest(), Is.LessThan(tag));
        table.Acknowledge(slot, seen);
        Assert.That(table.Oldest(), Is.EqualTo(tag));
        table.Exit(slot);
    }

    [Test]
    public void NobodyEntersADyingGuest()
    {
        using var table = new ConsumerTable(1);
        Assert.That(table.TryRegister(out int slot));
        Assert.That(table.BeginDestroy());
        ulong seen = 1;
        Assert.That(table.Enter(slot, ref seen, out bool flush), Is.False);
        Assert.That(flush, Is.False);
        Assert.That(table.EnterWalker(slot), Is.False);
        // A refused entry leaves the slot inactive.
        table.WaitAllInactive();
        table.Unregister(slot);
    }
}
