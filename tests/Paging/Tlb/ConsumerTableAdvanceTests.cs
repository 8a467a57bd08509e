using System.Threading;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Tlb;

namespace Pagoda.Tests.Tlb;

/// <summary>The taker's steps, one at a time, and one run on two threads.</summary>
public sealed unsafe class ConsumerTableAdvanceTests
{
    [Test]
    public void InactiveConsumersHoldNobodyBack()
    {
        using var table = new ConsumerTable(4);
        Assert.That(table.TryRegister(out _));
        ulong tag = table.Advance();
        table.WaitFor(tag);
        Assert.That(table.Oldest(), Is.EqualTo(tag));
        Assert.That(table.Invalidations, Is.EqualTo(1));
        Assert.That(table.Kicks, Is.Zero);
    }

    [Test]
    public void TheOldestIsTheMinimumOfTheActive()
    {
        using var table = new ConsumerTable(3);
        ulong seen = 1;
        for (int i = 0; i < 3; i++)
        {
            Assert.That(table.TryRegister(out int slot));
            Assert.That(table.EnterWalker(slot));
            Assert.That(table.Advance(), Is.EqualTo((ulong)i + 2));
        }
        Assert.That(table.Oldest(), Is.EqualTo(1));
        table.Exit(0);
        Assert.That(table.Oldest(), Is.EqualTo(2));
        Assert.That(table.MustFlush(1, ref seen));
        table.Acknowledge(1, seen);
        Assert.That(table.Oldest(), Is.EqualTo(3));
        table.Exit(1);
        table.Exit(2);
        Assert.That(table.Oldest(), Is.EqualTo(4));
    }

    [Test]
    public void OneCallerDestroys()
    {
        using var table = new ConsumerTable(1);
        Assert.That(table.BeginDestroy());
        Assert.That(table.BeginDestroy(), Is.False);
        Assert.That(table.IsDying);
    }

    [Test]
    public void WaitingForAllNeedsTheMark()
    {
        using var table = new ConsumerTable(1);
        Assert.That(table.WaitAllInactive, Throws.TypeOf<InvariantException>());
    }

    /// <summary>
    /// A consumer reads a cell through a pointer it fetches in its slot; the taker replaces the pointer, waits, and
    /// spoils what it pointed to. However the threads run, the consumer never reads a spoilt cell.
    /// </summary>
    [Test]
    public void NothingIsUsedAfterTheWait()
    {
        const int Rounds = 20_000;
        const ulong Spoilt = ulong.MaxValue;
        using var table = new ConsumerTable(1);
        Assert.That(table.TryRegister(out int slot));
        ulong* cells = stackalloc ulong[2];
        cells[0] = 1;
        cells[1] = Spoilt;
        ulong current = 0;
        ulong* entry = &current;
        ulong stop = 0;
        ulong* stopped = &stop;
        ulong bad = 0;
        ulong* spoiltReads = &bad;
        var reader = new Thread(() =>
        {
            ulong seen = 0;
            while (Shared.Load(stopped) == 0)
            {
                if (!table.Enter(slot, ref seen, out bool flush)) return;
                if (flush) table.Acknowledge(slot, seen);
                ulong translation = Shared.Load(entry);     // what a TLB would keep
                for (int use = 0; use < 8; use++)
                {
                    if (table.MustFlush(slot, ref seen))
                    {
                        translation = Shared.Load(entry);
                        table.Acknowledge(slot, seen);
                    }
                    if (Shared.Load(cells + translation) == Spoilt) Shared.Increment(spoiltReads);
                }
                table.Exit(slot);
            }
        });
        reader.Start();
        for (int round = 0; round < Rounds; round++)
        {
            ulong old = *entry;
            Shared.Store(cells + (old ^ 1), (ulong)round + 1);
            Shared.Store(entry, old ^ 1);
            table.WaitFor(table.Advance());
            Shared.Store(cells + old, Spoilt);
        }
        Shared.Store(stopped, 1);
        reader.Join();
        Assert.That(bad, Is.Zero);
        Assert.That(table.Invalidations, Is.EqualTo(Rounds));
    }
}
