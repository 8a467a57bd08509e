using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.AddressSpace;

public sealed unsafe class VmObjectPopulateTests
{
    private static uint TakeRun(Arena arena, VmObject memory, ulong first)
    {
        uint run = arena.Reservations.TakeZeroedRun(9);
        Assert.That(run, Is.Not.Zero);
        arena.Frames.ToPages(run, 512, memory.Id, (uint)first);
        return run;
    }

    [TestCase(0UL)]
    [TestCase(512UL)]
    [TestCase(300UL)]
    public void UntouchedPagesGetTheFramesInTheirPlaces(ulong first)
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 16 << 20 });
        using (var frames = new FrameCache(arena))
        using (var memory = new VmObject(arena, 8 << 20))
        {
            Assert.That(memory.IsAllZero(first, 512), Is.True);
            uint run = TakeRun(arena, memory, first);
            Assert.That(memory.Populate(first, 512, run, frames), Is.EqualTo(512));
            for (ulong page = 0; page < memory.LengthPages; page++)
            {
                ulong* word = memory.FindWord(page);
                bool inside = page >= first && page < first + 512;
                ulong expected = inside ? PageWord.Resident((run + page - first) << 12) : 0;
                Assert.That(word == null ? 0 : *word, Is.EqualTo(expected), $"page {page}");
            }
            Assert.That(memory.IsAllZero(first, 512), Is.False);
        }
        ArenaBalance.AssertWhole(arena);
    }

    [Test]
    public void ItEndsBeforeAPageThatIsNotZeroAnyMore()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 16 << 20 });
        using (var frames = new FrameCache(arena))
        using (var memory = new VmObject(arena, 8 << 20))
        {
            ulong* word = memory.MakeWord(700, frames);
            *word = PageWord.Claimed(0);
            Assert.That(memory.IsAllZero(512, 512), Is.False);
            Assert.That(memory.IsAllZero(0, 700), Is.True);
            uint run = TakeRun(arena, memory, 512);
            Assert.That(memory.Populate(512, 512, run, frames), Is.EqualTo(188));
            Assert.That(*word, Is.EqualTo(PageWord.Claimed(0)));
            for (uint i = 188; i < 512; i++) arena.Allocator.Give(run + i, 0);
            *word = 0;
        }
        ArenaBalance.AssertWhole(arena);
    }

    [Test]
    public void MarksOfAPageThatWasZeroAreOnItsFrameFirst()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 16 << 20 });
        using (var frames = new FrameCache(arena))
        using (var memory = new VmObject(arena, 4 << 20, new MemoryPager(), ownsPager: false, isPrivate: true))
        {
            Assert.That(memory.IsAllZero(0, 512), Is.False, "its pager says what absent pages are");
            ulong* word = memory.MakeWord(0, frames);
            for (int i = 0; i < 512; i++) word[i] = (ulong)PageState.Zero;
            word[7] |= PageWord.Written;
            uint run = TakeRun(arena, memory, 0);
            Assert.That(memory.Populate(0, 512, run, frames), Is.EqualTo(512));
            Assert.That(arena.Frames.IsDirty(run + 3), Is.True, "the pager has to hear that it is zero");
            Assert.That(arena.Frames.IsWritten(run + 7), Is.True);
            Assert.That(arena.Frames.IsWritten(run + 8), Is.False);
        }
        ArenaBalance.AssertWhole(arena);
    }

    [Test]
    public void WithoutAFrameForWordsNothingIsPopulated()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 16 << 20 });
        using (var frames = new FrameCache(arena))
        using (var memory = new VmObject(arena, 4 << 20))
        {
            uint run = TakeRun(arena, memory, 0);
            arena.Allocator.TestHookFailAfter = 0;
            Assert.That(memory.Populate(0, 512, run, frames), Is.Zero);
            arena.Allocator.TestHookFailAfter = -1;
            for (uint i = 0; i < 512; i++) arena.Allocator.Give(run + i, 0);
        }
        ArenaBalance.AssertWhole(arena);
    }
}
