using System;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.Tests.Physical;

public sealed unsafe class ArenaTests
{
    [Test]
    public void EveryFrameButTheFirstCanBeTaken()
    {
        using Arena arena = TestArena.Of(100);
        Assert.That(arena.FrameCount, Is.EqualTo(100));
        Assert.That(arena.Allocator.FreeFrames, Is.EqualTo(99));
        Assert.That(TestArena.TakeAll(arena), Is.EqualTo(99));
    }

    [Test]
    public void OneComparisonTellsMemoryFromDevices()
    {
        using Arena arena = TestArena.Of(100);
        Assert.That(arena.IsArena(arena.Bytes - 1), Is.True);
        Assert.That(arena.IsArena(arena.Bytes), Is.False);
        Assert.That(arena.DeviceBase, Is.EqualTo(1UL << 45));
        Assert.That(arena.Devices.Add(Paging.PageBytes, arena.Base), Is.EqualTo(arena.DeviceBase));
    }

    [Test]
    public void ATerabyteCostsAddressSpaceOnly()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 1UL << 40 });
        Assert.That(arena.Allocator.CommittedBytes, Is.EqualTo(Paging.WindowBytes));
        uint pfn = arena.Allocator.TryTake(FrameAllocator.OrderMax - 1);
        Assert.That(pfn, Is.Not.Zero);
        arena.Allocator.Give(pfn, FrameAllocator.OrderMax - 1);
        Assert.That(arena.Trim(), Is.EqualTo(Paging.GigapageBytes / 2));
    }

    [Test]
    public void PrefaultCommitsEverything()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 8 * Paging.WindowBytes, Prefault = true });
        Assert.That(arena.Allocator.CommittedBytes, Is.EqualTo(arena.Bytes));
        arena.Allocator.CheckConsistency();
    }

    [TestCase(ArenaBacking.AnonymousHuge)]
    [TestCase(ArenaBacking.Memfd)]
    public void TrimGivesFreeChunksBackAndTheirFramesReturnAsZeros(ArenaBacking backing)
    {
        using Arena arena = TestArena.Of(4 * Paging.WindowPages, backing);
        uint pfn = arena.Allocator.TryTake(Paging.WindowOrder);
        *TestArena.Page(arena, pfn) = 1;
        ulong committed = arena.Allocator.CommittedBytes;
        arena.Allocator.Give(pfn, Paging.WindowOrder);

        Assert.That(arena.Trim(), Is.EqualTo(Paging.WindowBytes));
        Assert.That(arena.Allocator.CommittedBytes, Is.EqualTo(committed - Paging.WindowBytes));
        arena.Allocator.CheckConsistency();
        Assert.That(arena.Trim(), Is.Zero);

        Assert.That(arena.Allocator.TryTake(Paging.WindowOrder, out bool knownZero), Is.EqualTo(pfn));
        Assert.That(knownZero, Is.True);
        Assert.That(PageZeroing.IsZero(TestArena.Page(arena, pfn)), Is.True);
    }

    [Test]
    public void TrimCountsTheZeroedPoolAsFree()
    {
        using Arena arena = TestArena.Of(2 * Paging.WindowPages);
        uint held = arena.Allocator.TryTake(8);     // So that the pool has to go past the first chunk.
        Assert.That(arena.Zeroed.Fill(512), Is.EqualTo(512));
        Assert.That(arena.Trim(), Is.EqualTo(Paging.WindowBytes));
        Assert.That(arena.Zeroed.Stock, Is.Zero);
        arena.Allocator.Give(held, 8);
        Assert.That(arena.Allocator.FreeFrames, Is.EqualTo(arena.FrameCount - 1));
    }

    [Test]
    public void MemoryOfTheCallerIsUsedAsItIsAndNeverGivenBack()
    {
        using NativeRegion memory = NativeRegion.Map((nuint)(2 * Paging.WindowBytes));
        new Span<byte>(memory.Base, (int)memory.Length).Fill(0xEE);
        var options = new ArenaOptions
        {
            Bytes = memory.Length,
            Backing = ArenaBacking.Caller,
            CallerMemory = (nint)memory.Base,
        };
        using (var arena = new Arena(options))
        {
            Assert.That((nint)arena.Base, Is.EqualTo((nint)memory.Base));
            Assert.That(arena.Allocator.TryTake(0, out bool knownZero), Is.Not.Zero);
            Assert.That(knownZero, Is.False);
            uint pfn;
            Assert.That(arena.Zeroed.TryTake(&pfn, 1), Is.EqualTo(1));
            Assert.That(PageZeroing.IsZero(TestArena.Page(arena, pfn)), Is.True);
            Assert.That(arena.Trim(), Is.Zero);
        }
        Assert.That(memory.Base[0], Is.EqualTo(0xEE));
    }

    [Test]
    public void RefusesOptionsThatAreWrong() =>
        Assert.That(() => new Arena(new ArenaOptions { Bytes = 1 }), Throws.ArgumentException);
}
