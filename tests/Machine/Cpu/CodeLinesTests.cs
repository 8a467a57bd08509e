using NUnit.Framework;
using Pagoda.Machine.Cpu;
using Pagoda.Physical;

namespace Pagoda.Tests.Machine.Cpu;

public sealed unsafe class CodeLinesTests
{
    private const uint Pfn = 7;
    private Arena _arena = null!;
    private CodeLines _code = null!;

    [SetUp]
    public void SetUp()
    {
        _arena = new Arena(new ArenaOptions { Bytes = 4 << 20 });
        _code = new CodeLines(_arena);
    }

    [TearDown]
    public void TearDown()
    {
        _code.Dispose();
        _arena.Dispose();
    }

    [Test]
    public void AFrameIsSettledOnceForItsVersion()
    {
        Assert.That(_code.Mark(Pfn, 1, out uint version), Is.True);
        Assert.That(_code.IsCode(Pfn), Is.True);
        Assert.That(_code.Mark(Pfn, 2, out _), Is.True, "another vCPU does not rely on who is not done");
        _code.Settle(Pfn, version);
        Assert.That(_code.Mark(Pfn, 4, out _), Is.False);
        Assert.That(_code.Stored(Pfn, 8), Is.False);
        Assert.That(*_code.Version(Pfn), Is.EqualTo(version));
    }

    [Test]
    public void AStoreToAMarkedLineRaisesTheVersionAndEndsTheWatch()
    {
        _code.Mark(Pfn, 6, out uint version);
        _code.Settle(Pfn, version);
        Assert.That(_code.Stored(Pfn, 2), Is.True);
        Assert.That(*_code.Version(Pfn), Is.EqualTo(version + 2));
        Assert.That(_code.IsCode(Pfn), Is.False);
        Assert.That(_code.Stored(Pfn, 4), Is.False, "the marks are gone");
        Assert.That(_code.Mark(Pfn, 2, out _), Is.True);
        // A marking that was overtaken by that store settles nothing.
        _code.Settle(Pfn, version);
        Assert.That(_code.Mark(Pfn, 2, out uint now), Is.True);
        Assert.That(now, Is.EqualTo(version + 2));
    }

    [Test]
    public void SharersAreCounted()
    {
        _code.Join();
        _code.Join();
        Assert.That(_code.Sharers, Is.EqualTo(2));
    }
}
