using NUnit.Framework;
using Pagoda.Machine.Cpu;

namespace Pagoda.Tests.Machine.Cpu;

public sealed unsafe class OpCacheTests
{
    private const uint MebiByte = 1 << 20;

    [Test]
    public void ABlockIsFoundByFrameOffsetAndMode()
    {
        using var cache = new OpCache(MebiByte);
        Block* block = Add(cache, 5, 0x123, ModeKeys.Size64);
        Assert.That(Find(cache, 5, 0x123, ModeKeys.Size64) == block, Is.True);
        Assert.That(Find(cache, 5, 0x123, ModeKeys.Size32) == null, Is.True);
        Assert.That(Find(cache, 5, 0x124, ModeKeys.Size64) == null, Is.True);
        Assert.That(Find(cache, 6, 0x123, ModeKeys.Size64) == null, Is.True);
    }

    [Test]
    public void ManyBlocksAreAllFoundAndARemovedOneIsNot()
    {
        using var cache = new OpCache(MebiByte);
        for (uint i = 1; i < 3000; i++) Add(cache, i, (ushort)(i * 7 & 0xFFF), ModeKeys.Size64);
        for (uint i = 1; i < 3000; i += 3) cache.Remove(Find(cache, i, (ushort)(i * 7 & 0xFFF), ModeKeys.Size64));
        for (uint i = 1; i < 3000; i++)
        {
            bool isFound = Find(cache, i, (ushort)(i * 7 & 0xFFF), ModeKeys.Size64) != null;
            Assert.That(isFound, Is.EqualTo(i % 3 != 1), $"block {i}");
        }
    }

    [Test]
    public void RunningOutDropsEverything()
    {
        using var cache = new OpCache(MebiByte);
        ulong resets = cache.Resets;
        uint added = 0;
        while (cache.Resets == resets) Add(cache, ++added, 0, 0);
        Assert.That(added, Is.GreaterThan(1000));
        Assert.That(Find(cache, 1, 0, 0) == null, Is.True);
        Assert.That(Find(cache, added, 0, 0) != null, Is.True);
    }

    [Test]
    public void LinksToOtherPagesGoThroughAStubAndAreDroppedWithTheMappings()
    {
        using var cache = new OpCache(MebiByte);
        Block* from = Add(cache, 1, 0x10, 0);
        Block* to = Add(cache, 2, 0x20, 0);
        MicroOp* branch = Block.Ops(from);
        cache.LinkAway(branch, to, 0x1000);
        Block* stub = cache.At(branch->Link);
        MicroOp* jump = Block.Ops(stub);
        Assert.That(*stub->VersionCell, Is.EqualTo(stub->Version));
        Assert.That((jump->Code, jump->Disp, jump->Target), Is.EqualTo((OpCode.JumpPage, 0x1000, 0x20)));
        Assert.That(cache.At(jump->Link) == to, Is.True);
        cache.DropMappings();
        Assert.That(branch->Link, Is.Zero);
    }

    [Test]
    public void LinksInsideAPageStay()
    {
        using var cache = new OpCache(MebiByte);
        Block* block = Add(cache, 1, 0x10, 0);
        MicroOp* branch = Block.Ops(block);
        cache.LinkHere(branch, block);
        cache.DropMappings();
        Assert.That(cache.At(branch->Link) == block, Is.True);
    }

    [Test]
    public void IndirectDestinationsAreRememberedUntilTheMappingsGo()
    {
        using var cache = new OpCache(MebiByte);
        Block* block = Add(cache, 1, 0x234, 0);
        cache.Remember(0x7000_1234, block);
        byte* slot = cache.Jumps + (0x7000_1234 & OpCache.JumpMask) * 16;
        Assert.That(*(ulong*)slot, Is.EqualTo(0x7000_1234));
        Assert.That(*(Block**)(slot + 8) == block, Is.True);
        cache.DropMappings();
        Assert.That(*(ulong*)slot, Is.Not.EqualTo(0x7000_1234));
    }

    [TestCase(1)]
    [TestCase(256)]
    [TestCase(257)]
    [TestCase(3000)]
    public void EveryDestinationIsDroppedHoweverManyThereAre(int count)
    {
        using var cache = new OpCache(MebiByte);
        Block* block = Add(cache, 1, 0x234, 0);
        for (int round = 0; round < 2; round++)
        {
            for (int i = 0; i < count; i++) cache.Remember((ulong)i, block);
            cache.DropMappings();
            for (int i = 0; i < count; i++)
            {
                Assert.That(*(ulong*)(cache.Jumps + i * 16), Is.EqualTo(ulong.MaxValue), $"{i} in round {round}");
            }
        }
    }

    private static Block* Add(OpCache cache, uint pfn, ushort offset, uint mode)
    {
        Block* block = cache.Begin(4, 2);
        *block = default;
        block->VersionCell = (uint*)cache.Arena;
        block->Pfn = pfn;
        block->PageOffset = offset;
        block->ModeKey = mode;
        block->Offsets = (ushort*)(Block.Ops(block) + 4);
        cache.Commit(block, block->Offsets + 3);
        return block;
    }

    private static Block* Find(OpCache cache, uint pfn, ushort offset, uint mode)
    {
        Block* block = cache.First(pfn, offset, mode);
        while (block != null && (block->Pfn != pfn || block->PageOffset != offset || block->ModeKey != mode))
        {
            block = cache.At(block->Next);
        }
        return block;
    }
}
