using System.Threading;
using NUnit.Framework;
using Pagoda.Core;

namespace Pagoda.Tests;

/// <summary>What each operation returns and leaves; with real threads, that the locked ones lose nothing.</summary>
public sealed unsafe class SharedTests
{
    private const int Rounds = 100_000;

    [Test]
    public void WideOperationsReturnWhatTheySay()
    {
        ulong cell = 5;
        Assert.That(Shared.Load(&cell), Is.EqualTo(5));
        Shared.Store(&cell, 0xF0F0);
        Assert.That(Shared.Or(&cell, 0x0F), Is.EqualTo(0xF0F0));
        Assert.That(Shared.And(&cell, 0xFF), Is.EqualTo(0xF0FF));
        Assert.That(cell, Is.EqualTo(0xFF));
        Assert.That(Shared.Exchange(&cell, 7), Is.EqualTo(0xFF));
        Assert.That(Shared.CompareExchange(&cell, 9, expected: 8), Is.EqualTo(7));
        Assert.That(cell, Is.EqualTo(7));
        Assert.That(Shared.CompareExchange(&cell, ulong.MaxValue, expected: 7), Is.EqualTo(7));
        Assert.That(Shared.Increment(&cell), Is.Zero);
        Assert.That(Shared.Add(&cell, 3), Is.EqualTo(3));
    }

    [Test]
    public void NarrowOperationsReturnWhatTheySay()
    {
        uint* cells = stackalloc uint[2] { 5, 0xDEAD };
        Assert.That(Shared.Load(cells), Is.EqualTo(5));
        Shared.Store(cells, 0xF0F0);
        Assert.That(Shared.Or(cells, 0x0F), Is.EqualTo(0xF0F0));
        Assert.That(Shared.And(cells, 0xFF), Is.EqualTo(0xF0FF));
        Assert.That(Shared.Exchange(cells, 7), Is.EqualTo(0xFF));
        Assert.That(Shared.CompareExchange(cells, 9, expected: 8), Is.EqualTo(7));
        Assert.That(Shared.CompareExchange(cells, 0, expected: 7), Is.EqualTo(7));
        Assert.That(Shared.Decrement(cells), Is.EqualTo(uint.MaxValue));
        Assert.That(Shared.Increment(cells), Is.Zero);
        Assert.That(Shared.Add(cells, 3), Is.EqualTo(3));
        Assert.That(cells[1], Is.EqualTo(0xDEAD));
    }

    [Test]
    public void IncrementsOfTwoThreadsAreAllCounted()
    {
        ulong cell = 0;
        ulong* pointer = &cell;
        var other = new Thread(() => Count(pointer));
        other.Start();
        Count(pointer);
        other.Join();
        Assert.That(cell, Is.EqualTo(2 * Rounds));
    }

    [Test]
    public void AMessageIsWholeWhenItsFlagIsSeen()
    {
        ulong* cells = stackalloc ulong[2] { 0, 0 };
        ulong* message = cells;
        ulong* flag = cells + 1;
        var sender = new Thread(() =>
        {
            for (ulong i = 1; i <= Rounds; i++)
            {
                Shared.Store(message, i);
                Shared.Store(flag, i);
            }
        });
        sender.Start();
        ulong stale = 0;
        ulong seen;
        do
        {
            seen = Shared.Load(flag);
            if (Shared.Load(message) < seen) stale++;
        }
        while (seen < Rounds);
        sender.Join();
        Assert.That(stale, Is.Zero);
    }

    private static void Count(ulong* cell)
    {
        for (int i = 0; i < Rounds; i++) Shared.Increment(cell);
    }
}
