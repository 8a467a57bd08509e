using System;
using System.Collections.Generic;
using System.Numerics;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Physical;

/// <summary>
/// Drives the allocator and an array of booleans with the same random operations. After each one they must agree on the
/// result, exhaustion included, and on what is free; a run can be taken if and only if the array has it.
/// </summary>
public sealed unsafe class FrameAllocatorTests
{
    private const int Steps = 3_000;

    [TestCase(90U, 4, 0xA110_0001UL)]
    [TestCase(90U, 1, 0xA110_0002UL)]
    [TestCase(1_400U, 10, 0xA110_0003UL)]
    [TestCase(2_600U, 11, 0xA110_0004UL)]
    public void AgreesWithAnArray(uint frames, int orderMax, ulong seed)
    {
        using Arena arena = TestArena.Of(frames);
        var run = new Run(arena, orderMax, new SeededGenerator(seed));
        for (int step = 0; step < Steps; step++) run.Step();
        run.GiveAllAndCheck();
        Assert.That(run.RanDry, Is.GreaterThan(10), "The arena is too large to run dry.");
    }

    [Test]
    public void EverythingGivenBackMergesToTheBlocksOfTheStart()
    {
        using Arena arena = TestArena.Of(4 * Paging.WindowPages);
        var pfns = new List<uint>();
        for (uint pfn = arena.Allocator.TryTake(0); pfn != 0; pfn = arena.Allocator.TryTake(0)) pfns.Add(pfn);
        Assert.That(arena.Allocator.TryTake(0), Is.Zero);
        new SeededGenerator(7).Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(pfns));
        foreach (uint pfn in pfns) arena.Allocator.Give(pfn, 0);
        arena.Allocator.CheckConsistency();
        // Frame 0 is missing from the first half, so the second is the one run of two windows.
        Assert.That(arena.Allocator.TryTake(Paging.WindowOrder + 1), Is.EqualTo(2 * Paging.WindowPages));
        Assert.That(arena.Allocator.TryTake(Paging.WindowOrder), Is.EqualTo(Paging.WindowPages));
        Assert.That(arena.Allocator.TryTake(Paging.WindowOrder - 1), Is.EqualTo(Paging.WindowPages / 2));
    }

    [TestCase(0)]
    [TestCase(5)]
    public void TheHookActsAsIfOnlySoManyFramesWereLeft(int left)
    {
        using Arena arena = TestArena.Of(300);
        arena.Allocator.TestHookFailAfter = left;
        Assert.That(TestArena.TakeAll(arena), Is.EqualTo(left));
        arena.Allocator.TestHookFailAfter = left;
        Assert.That(arena.Allocator.TryTake(3), Is.Zero);
        uint* pfns = stackalloc uint[FrameAllocator.BatchMax];
        Assert.That(arena.Allocator.TryTakeBatch(pfns, FrameAllocator.BatchMax, out _), Is.EqualTo(left));
        arena.Allocator.TestHookFailAfter = -1;
        Assert.That(arena.Allocator.TestHookFailAfter, Is.EqualTo(-1));
        Assert.That(arena.Allocator.TryTake(3), Is.Not.Zero);
        arena.Allocator.CheckConsistency();
    }

    [Test]
    public void TakingAndGivingAllocatesNothing()
    {
        using Arena arena = TestArena.Of(2_000);
        uint* pfns = stackalloc uint[FrameAllocator.BatchMax];
        long before = 0;
        for (int round = 0; round < 50; round++)
        {
            // The first rounds pay for compilation.
            if (round == 10) before = GC.GetAllocatedBytesForCurrentThread();
            uint pfn = arena.Allocator.TryTake(3);
            int taken = arena.Allocator.TryTakeBatch(pfns, FrameAllocator.BatchMax, out _);
            arena.Allocator.Give(pfn, 3);
            arena.Allocator.GiveBatch(pfns, taken);
        }
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    private sealed class Run(Arena arena, int orderMax, SeededGenerator random)
    {
        private readonly bool[] _taken = Initial(arena.FrameCount);
        private readonly List<(uint Pfn, int Order)> _live = [];
        private int _steps;

        public int RanDry { get; private set; }

        public void Step()
        {
            int kind = random.Below(20);
            if (kind < 8) Take();
            else if (kind < 11) TakeBatch();
            else if (kind < 16) GiveOne();
            else if (kind < 18) GiveInHalves();
            else if (kind < 19) GiveMany();
            else arena.Trim();
            AssertAgreement();
        }

        public void GiveAllAndCheck()
        {
            while (_live.Count > 0) GiveOne();
            AssertAgreement();
            arena.Allocator.CheckConsistency();
            Assert.That(arena.Allocator.FreeFrames, Is.EqualTo(arena.FrameCount - 1));
            int largest = BitOperations.Log2(arena.FrameCount - 1);
            uint pfn = LowestRun(largest - 1) is { } run ? arena.Allocator.TryTake(largest - 1) : 0;
            Assert.That(pfn, Is.Not.Zero, random.ToString());
        }

        private void Take()
        {
            int order = random.Below(orderMax + 1);
            uint pfn = arena.Allocator.TryTake(order, out bool knownZero);
            Assert.That(pfn != 0, Is.EqualTo(LowestRun(order) is not null), "order " + order + ", " + random);
            if (pfn == 0)
            {
                RanDry++;
                return;
            }
            Assert.That(pfn & ((1U << order) - 1), Is.Zero, random.ToString());
            Own(pfn, order, knownZero);
        }

        private void TakeBatch()
        {
            int count = random.Between(1, FrameAllocator.BatchMax);
            uint* pfns = stackalloc uint[FrameAllocator.BatchMax];
            int taken = arena.Allocator.TryTakeBatch(pfns, count, out ulong knownZero);
            Assert.That(taken, Is.EqualTo(int.Min(count, FreeCount())), random.ToString());
            if (taken < count) RanDry++;
            for (int i = 0; i < taken; i++) Own(pfns[i], 0, (knownZero >> i & 1) != 0);
        }

        private void GiveOne()
        {
            if (TryPick(out uint pfn, out int order)) Disown(pfn, order, order);
        }

        /// <summary>What was taken as one run comes back in pieces.</summary>
        private void GiveInHalves()
        {
            if (TryPick(out uint pfn, out int order)) Disown(pfn, order, int.Max(0, order - 1));
        }

        private void GiveMany()
        {
            for (int i = random.Below(40); i > 0; i--) GiveOne();
        }

        private void Own(uint pfn, int order, bool knownZero)
        {
            for (uint i = pfn; i < pfn + (1U << order); i++)
            {
                Assert.That(_taken[i], Is.False, "frame " + i + " given out twice, " + random);
                _taken[i] = true;
                byte* page = TestArena.Page(arena, i);
                if (knownZero) Assert.That(PageZeroing.IsZero(page), Is.True, "frame " + i + ", " + random);
                page[random.Below((int)Paging.PageBytes)] = 0xD1;
            }
            _live.Add((pfn, order));
        }

        private void Disown(uint pfn, int order, int pieceOrder)
        {
            for (uint i = pfn; i < pfn + (1U << order); i++) _taken[i] = false;
            for (uint i = pfn; i < pfn + (1U << order); i += 1U << pieceOrder) arena.Allocator.Give(i, pieceOrder);
        }

        private bool TryPick(out uint pfn, out int order)
        {
            (pfn, order) = (0, 0);
            if (_live.Count == 0) return false;
            int at = random.Below(_live.Count);
            (pfn, order) = _live[at];
            _live[at] = _live[^1];
            _live.RemoveAt(_live.Count - 1);
            return true;
        }

        private void AssertAgreement()
        {
            Assert.That(arena.Allocator.FreeFrames, Is.EqualTo((ulong)FreeCount()), random.ToString());
            if (++_steps % 16 == 0) arena.Allocator.CheckConsistency();
        }

        private int FreeCount() => _taken.AsSpan().Count(false);

        private uint? LowestRun(int order)
        {
            uint length = 1U << order;
            for (uint pfn = 0; pfn + length <= arena.FrameCount; pfn += length)
            {
                if (_taken.AsSpan((int)pfn, (int)length).IndexOf(true) < 0) return pfn;
            }
            return null;
        }

        private static bool[] Initial(uint frames)
        {
            var taken = new bool[frames];
            taken[0] = true;
            return taken;
        }
    }
}
