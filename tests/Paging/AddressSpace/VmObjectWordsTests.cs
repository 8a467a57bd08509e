using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.AddressSpace;

public sealed unsafe class VmObjectWordsTests
{
    private const ulong Pages = 2000;
    private Arena _arena = null!;
    private VmObject _memory = null!;
    private FrameCache _frames = null!;

    [SetUp]
    public void SetUp()
    {
        _arena = new Arena(new ArenaOptions { Bytes = 1 << 20 });
        _memory = new VmObject(_arena, Pages << 12);
        _frames = new FrameCache(_arena);
    }

    [TearDown]
    public void TearDown()
    {
        _frames.Dispose();
        _memory.Dispose();
        ArenaBalance.AssertWhole(_arena);
        _arena.Dispose();
    }

    [Test]
    public void AWindowGetsItsWordsAtTheFirstTouchAlone()
    {
        Assert.That(_memory.FindWord(513) == null);
        ulong* word = _memory.MakeWord(513, _frames);
        Assert.That(word != null);
        Assert.That(*word, Is.Zero);
        Assert.That(_memory.MakeWord(513, _frames) == word);
        Assert.That(_memory.FindWord(514) == word + 1);
        Assert.That(_memory.FindWord(512) == word - 1);
        Assert.That(_memory.FindWord(511) == null);
        Assert.That(_memory.FindWord(1024) == null);
        uint pfn = (uint)(((byte*)word - _arena.Base) >> 12);
        Assert.That(_arena.Frames.StateOf(pfn), Is.EqualTo(FrameState.Index));
        Assert.That(_arena.Frames.Records[pfn].Owner, Is.EqualTo(_memory.Id));
        Assert.That(_arena.Frames.Records[pfn].Index, Is.EqualTo(1));
    }

    [Test]
    public void WithoutAFrameThereIsNoWord()
    {
        _arena.Allocator.TestHookFailAfter = 0;
        Assert.That(_memory.MakeWord(0, _frames) == null);
        _arena.Allocator.TestHookFailAfter = -1;
        Assert.That(_memory.MakeWord(0, _frames) != null);
    }

    [Test]
    public void TouchedWindowsAreFoundInOrder()
    {
        Assert.That(_memory.TryFindTouched(0, out _), Is.False);
        _memory.MakeWord(600, _frames);
        _memory.MakeWord(Pages - 1, _frames);
        Assert.That(_memory.TryFindTouched(0, out ulong touched), Is.True);
        Assert.That(touched, Is.EqualTo(512));
        Assert.That(_memory.TryFindTouched(700, out touched), Is.True);
        Assert.That(touched, Is.EqualTo(700));
        Assert.That(_memory.TryFindTouched(1024, out touched), Is.True);
        Assert.That(touched, Is.EqualTo(1536));
    }

    [TestCase(0UL)]
    [TestCase(511UL)]
    [TestCase(1UL << 19)]
    [TestCase((1UL << 25) - 1)]
    [TestCase(1UL << 25)]
    [TestCase((1UL << 30) - 1)]
    public void ATouchedWindowOfALongObjectIsFoundFromAnywhereBefore(ulong page)
    {
        using var memory = new VmObject(_arena, 1UL << 42);
        memory.MakeWord(page, _frames);
        ulong first = page & ~511UL;
        foreach (ulong from in new[] { 0UL, first / 2, first, page })
        {
            Assert.That(memory.TryFindTouched(from, out ulong touched), Is.True);
            Assert.That(touched, Is.EqualTo(ulong.Max(from, first)));
        }
        Assert.That(memory.TryFindTouched(first + 512, out _), Is.False);
    }
}
