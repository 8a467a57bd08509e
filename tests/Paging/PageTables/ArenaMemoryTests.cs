using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;

namespace Pagoda.Tests.PageTables;

public sealed unsafe class ArenaMemoryTests
{
    [Test]
    public void OnlyTheArenaIsMemory()
    {
        using var image = new TableImage(2);
        ArenaMemory memory = image.Arena;
        Assert.That(memory.IsReadOnly, Is.False);
        Assert.That(memory.TryMap(image.Bytes - sizeof(ulong), sizeof(ulong), out byte* last), Is.True);
        Assert.That((nint)last, Is.EqualTo((nint)(image.Base + image.Bytes - sizeof(ulong))));
        Assert.That(memory.TryMap(image.Bytes, sizeof(ulong), out _), Is.False);
        Assert.That(memory.TryMap(1UL << 45, sizeof(ulong), out _), Is.False, "a device address is no table");
        Assert.That(memory.TryMap(ulong.MaxValue & ~7UL, sizeof(ulong), out _), Is.False);
    }

    [Test]
    public void TablesInTheArenaAreWalked()
    {
        using var image = new TableImage(5);
        for (ulong level = 1; level < 4; level++)
        {
            image.Entry(level * Paging.PageBytes, 0) = ((level + 1) * Paging.PageBytes) | 7;
        }
        image.Entry(4 * Paging.PageBytes, 3) = 0x37 | (1UL << 39);
        ArenaMemory memory = image.Arena;
        WalkFormat format = WalkFormat.ForEpt(Paging.PageBytes | 0x5E, 40);
        Walker.Walk(ref memory, in format, 0x3010, Prot.Write, false, WalkKind.FinalAccess, out WalkResult r);
        Assert.That(r.Outcome, Is.EqualTo(WalkOutcome.Ok));
        Assert.That(r.Hpa, Is.EqualTo((1UL << 39) | 0x10), "a device address is returned like any other");
        Assert.That(image.Entry(4 * Paging.PageBytes, 3), Is.EqualTo(0x337 | (1UL << 39)));
    }
}
