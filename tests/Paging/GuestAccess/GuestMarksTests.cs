using NUnit.Framework;
using Pagoda.GuestAccess;
using Pagoda.Physical;

namespace Pagoda.Tests.GuestAccess;

public sealed unsafe class GuestMarksTests
{
    [Test]
    public void AWriteByTheHostDirtiesTheFrameAndOutdatesItsDecodedCode()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 1 << 20 });
        using var cache = new FrameCache(arena);
        Assert.That(cache.TryTake(out uint pfn), Is.True);
        arena.Frames.ToPage(pfn, 1, 2);
        uint version = arena.Frames.CodeVersions[pfn];
        GuestMarks.Written(arena.Frames, pfn);
        Assert.That(arena.Frames.IsDirty(pfn), Is.True);
        Assert.That(arena.Frames.IsWritten(pfn), Is.True);
        Assert.That(arena.Frames.CodeVersions[pfn], Is.EqualTo(version));
        arena.Frames.SetCode(pfn);
        GuestMarks.Written(arena.Frames, pfn);
        Assert.That(arena.Frames.CodeVersions[pfn], Is.Not.EqualTo(version));
        cache.Give(pfn);
    }
}
