using System;
using System.Collections.Generic;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Pagers;

namespace Pagoda.Tests.Pagers;

/// <summary>Against a set of free numbers, with a file small enough to fill up.</summary>
public sealed class SwapSlotsTests
{
    [Test]
    public void AgreesWithASetOfNumbers([Values(2u, 63u, 64u, 65u, 200u)] uint slots, [Range(1, 5)] int seed)
    {
        var random = new Random(seed);
        using var actual = new SwapSlots(slots);
        var taken = new SortedSet<uint>();
        var runs = new List<(uint First, int Count)>();
        for (int step = 0; step < 3_000; step++)
        {
            if (random.Next(100) < 55)
            {
                int wanted = random.Next(1, 65);
                int length = actual.TakeRun(wanted, out uint first);
                Assert.That(length == 0, Is.EqualTo(taken.Count == slots - 1), $"seed {seed} step {step}: full");
                Assert.That(length, Is.LessThanOrEqualTo(wanted));
                for (uint slot = first; slot < first + (uint)length; slot++)
                {
                    Assert.That(slot > 0 && slot < slots && taken.Add(slot), $"seed {seed} step {step}: {slot} twice");
                }
                if (length > 0) runs.Add((first, length));
            }
            else if (runs.Count > 0)
            {
                int pick = random.Next(runs.Count);
                (uint first, int count) = runs[pick];
                int part = random.Next(1, count + 1);
                actual.Give(first, part);
                for (uint slot = first; slot < first + (uint)part; slot++) taken.Remove(slot);
                if (part == count) runs.RemoveAt(pick);
                else runs[pick] = (first + (uint)part, count - part);
            }
            Assert.That(actual.Free, Is.EqualTo(slots - 1 - (uint)taken.Count), $"seed {seed} step {step}");
        }
    }

    [Test]
    public void OneBatchGetsNeighbours()
    {
        using var slots = new SwapSlots(1000);
        Assert.That(slots.TakeRun(64, out uint first), Is.EqualTo(64));
        Assert.That(slots.TakeRun(64, out uint second), Is.EqualTo(64));
        Assert.That(second, Is.EqualTo(first + 64));
    }

    [Test]
    public void GivingAFreeSlotIsADefect()
    {
        using var slots = new SwapSlots(100);
        slots.TakeRun(4, out uint first);
        slots.Give(first, 2);
        Assert.That(() => slots.Give(first, 1), Throws.TypeOf<InvariantException>());
        Assert.That(() => slots.Give(0, 1), Throws.TypeOf<InvariantException>());
    }
}
