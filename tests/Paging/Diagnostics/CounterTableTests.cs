using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Diagnostics;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Diagnostics;

public sealed unsafe class CounterTableTests
{
    private const int Slots = 3;

    [Test]
    public void SumsTakeEveryRowAndTheSharedOne()
    {
        using var block = new GuardedRegion((int)CounterTable.BytesFor(Slots), CounterTable.RowBytes);
        var table = new CounterTable(block.Base, Slots);
        for (int slot = 0; slot < Slots; slot++) table.RowOf(slot).Add(Counter.Holds, (ulong)slot + 1);
        table.RowOf(Slots - 1).AddIfAny(Counter.Holds, 10);
        table.RowOf(Slots - 1).AddIfAny(Counter.Releases, 0);
        table.AddShared(Counter.Holds, 100);
        Assert.That(table.Sum(Counter.Holds), Is.EqualTo(116));
        Assert.That(table.Sum(Counter.Releases), Is.Zero);
        Assert.That(table.Sum(Counter.NestedFaults), Is.Zero);
    }

    [Test]
    public void EveryCounterHasACellOfItsOwn()
    {
        using var block = new GuardedRegion((int)CounterTable.BytesFor(1), CounterTable.RowBytes);
        var table = new CounterTable(block.Base, 1);
        foreach (Counter counter in System.Enum.GetValues<Counter>())
        {
            Assert.That((int)counter, Is.LessThan(CounterTable.CellsPerRow));
            Assert.That(table.Sum(counter), Is.Zero, counter.ToString());
            table.RowOf(0).Add(counter, 1);
            Assert.That(table.Sum(counter), Is.EqualTo(1), counter.ToString());
        }
    }

    [Test]
    public void ASlotBeyondTheTableIsRefused()
    {
        using var block = new GuardedRegion((int)CounterTable.BytesFor(1), CounterTable.RowBytes);
        var table = new CounterTable(block.Base, 1);
        Assert.That(() => table.RowOf(1), Throws.TypeOf<InvariantException>());
    }
}
