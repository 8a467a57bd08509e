using System;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.PageTables;

/// <summary>Images of any length, tables that point anywhere: never a byte outside, never an endless walk.</summary>
public sealed unsafe class ImageMemoryTests
{
    [Test]
    public void AnAccessLiesInsideAsAWholeOrNotAtAll()
    {
        using var region = new GuardedRegion(20, 1);
        var memory = new ImageMemory(region.Base, 20, firstHpa: 0x1000);
        Assert.That(memory.TryMap(0x1000, 8, out byte* first), Is.True);
        Assert.That((nint)first, Is.EqualTo((nint)region.Base));
        Assert.That(memory.TryMap(0x1008, 8, out _), Is.True);
        Assert.That(memory.TryMap(0x1010, 4, out _), Is.True);
        Assert.That(memory.TryMap(0x1010, 8, out _), Is.False, "the image ends inside the word");
        Assert.That(memory.TryMap(0x1014, 4, out _), Is.False);
        Assert.That(memory.TryMap(0xFF8, 8, out _), Is.False, "below the image");
        Assert.That(memory.TryMap(0, 8, out _), Is.False);
        Assert.That(memory.TryMap(ulong.MaxValue - 7, 8, out _), Is.False);
    }

    [Test]
    public void AnImageThatCannotBeIsRefused()
    {
        Assert.That(() => new ImageMemory(null, 8, firstHpa: 0x1004), Throws.ArgumentException);
        Assert.That(() => new ImageMemory(null, 9, firstHpa: ulong.MaxValue - 7), Throws.ArgumentException);
        Assert.That(() => new ImageMemory(null, 7, firstHpa: ulong.MaxValue - 7), Throws.Nothing);
    }

    [Test]
    public void AnEmptyImageIsOutside()
    {
        var memory = new ImageMemory(null, 0);
        WalkFormat format = WalkFormat.ForEpt(0x1E, 40);
        Walker.Walk(ref memory, in format, 0x123, Prot.Read, false, WalkKind.FinalAccess, out WalkResult r);
        Assert.That(r.Outcome, Is.EqualTo(WalkOutcome.Outside));
        Assert.That(r.Hpa, Is.Zero);
        Assert.That(r.FaultGpa, Is.EqualTo(0x123));
        Assert.That(r.Accesses, Is.Zero);
    }

    [Test]
    public void AnEntryOutsideTheImageEndsTheWalkThere()
    {
        using var image = new TableImage(3);
        image.Entry(0x1000, 0) = 0x2000 | 7;
        image.Entry(0x2000, 1) = 0x7000 | 7;
        WalkResult r = image.Walk(WalkFormat.ForEpt(0x101E, 40), (1UL << 30) | (5UL << 21), Prot.Read);
        Assert.That(r.Outcome, Is.EqualTo(WalkOutcome.Outside));
        Assert.That(r.Hpa, Is.EqualTo(0x7000 + 5 * 8));
        Assert.That(r.EntryCount, Is.EqualTo(2));
    }

    // A guarded image: a read outside ends the process, and the counts bound every walk.
    [Test]
    public void RandomWordsAsTablesNeitherHoldAWalkNorLeadItOut()
    {
        const int pages = 6;
        // Twice: a nested walk may set a bit in an entry that is the guest's too, and the guest's walk starts again.
        const int accessesMax = 2 * (5 * (5 + 1) + 5);
        var random = new SeededGenerator(0x5EED_0001);
        using var image = new TableImage(pages);
        var outcomes = new int[(int)WalkOutcome.Outside + 1];
        for (int round = 0; round < 400; round++)
        {
            FillWithTables(image, pages, random);
            WalkFormat[] nested =
            [
                WalkFormat.ForEpt(Page(random, pages) | (random.OneIn(2) ? 0x1EUL : 0x5E), 40),
                WalkFormat.ForEpt(Page(random, pages) | 0x66, 52),
                WalkFormat.ForNpt(Page(random, pages), 40),
                WalkFormat.ForNpt(Page(random, pages), 36, levels: 5),
            ];
            for (int walk = 0; walk < 50; walk++)
            {
                ulong cr4 = random.Next() & 0x30_1030;
                ulong efer = random.OneIn(2) ? 0xD00UL : 0;
                WalkFormat guest = WalkFormat.ForX86(0x8001_0001, Page(random, pages), cr4, efer, 40);
                ulong address = random.Next() >> random.Between(0, 63);
                Prot access = random.Pick([Prot.Read, Prot.Write, Prot.Execute]);
                WalkResult two = image.Walk2D(random.Pick<WalkFormat>(nested), guest, address, access, random.OneIn(2));
                Assert.That(two.Accesses, Is.AtMost(accessesMax), random.ToString());
                outcomes[(int)two.Outcome]++;
                WalkResult one = image.Walk(random.Pick<WalkFormat>(nested), address, access);
                Assert.That(one.Accesses, Is.AtMost(Paging.LevelsMax), random.ToString());
                outcomes[(int)one.Outcome]++;
            }
        }
        Assert.That(outcomes, Has.None.Zero, "every outcome is met: " + string.Join(' ', outcomes));
    }

    private static ulong Page(SeededGenerator random, int pages) => (ulong)random.Below(pages + 1) * Paging.PageBytes;

    // Mostly entries that point to pages of the image, with wild bits in some.
    private static void FillWithTables(TableImage image, int pages, SeededGenerator random)
    {
        for (ulong i = 0; i < image.Bytes / sizeof(ulong); i++)
        {
            ulong entry = ((ulong)random.Below(pages + (random.OneIn(20) ? 9 : 0)) * Paging.PageBytes) | 7;
            if (random.OneIn(4)) entry |= 0xB0;
            if (random.OneIn(30)) entry ^= random.Next() & random.Next() & random.Next();
            if (random.OneIn(50)) entry = 0;
            image.Entry(0, i) = entry;
        }
    }
}
