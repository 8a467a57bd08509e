using System;
using System.Collections.Generic;
using NUnit.Framework;
using Pagoda.Cli;
using Pagoda.Core;
using Pagoda.Machine.Dump;
using Pagoda.PageTables;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Cli;

public sealed class InspectScanTests
{
    [Test]
    public void ATableThatIsItsOwnChildCountsOnceALevel()
    {
        using var file = new ImageFile(2);
        for (int i = 0; i < 512; i++) file.Set(0x1000, i, 0x1007);
        (InspectScan scan, PhysicalImage image) = Scan(file, RootKind.Ept);
        using (image)
        {
            Assert.That(scan.IsComplete, Is.True);
            Assert.That(scan.Total.ToArray(), Has.Length.EqualTo(1));
            Assert.That(scan.Total[0].Count, Is.EqualTo(1UL << 36), "512^4 pages");
            Assert.That(scan.UniformClassOf(0x1000, 1), Is.EqualTo(scan.Total[0].Class));
            Assert.That(scan.TablesOf(4), Is.EqualTo(1));
        }
    }

    [TestCase(RootKind.Ept, 0x21UL)]
    [TestCase(RootKind.Npt, 0x22UL)]
    [TestCase(RootKind.X86, 0x23UL)]
    public void RandomTablesAreCountedAsAPlainRecursionCountsThem(RootKind kind, ulong seed)
    {
        for (ulong round = 0; round < 8; round++)
        {
            var random = new SeededGenerator(seed + (round << 8));
            using ImageFile file = ImageFile.MakeRandom(random, 5);
            Thin(file, random);
            (InspectScan scan, PhysicalImage image) = Scan(file, kind);
            using (image)
            {
                var model = new SortedDictionary<byte, ulong>();
                InspectRoot root = RootOf(kind);
                Count(image, new InspectView(root), root.Format.Root, root.Format.Levels, Prot.All, true, model);
                var found = new SortedDictionary<byte, ulong>();
                foreach (ClassCount count in scan.Total) found[count.Class.Index] = count.Count;
                Assert.That(found, Is.EqualTo(model), random.ToString());
            }
        }
    }

    [Test]
    public void DenseRandomTablesAreCountedInBoundedTime()
    {
        using ImageFile file = ImageFile.MakeRandom(new SeededGenerator(0x31), 64);
        (InspectScan scan, PhysicalImage image) = Scan(file, RootKind.Npt);
        using (image) Assert.That(scan.Total.Length, Is.GreaterThan(1));
    }

    /// <summary>Leaves few entries, so that a recursion without memory ends.</summary>
    private static void Thin(ImageFile file, SeededGenerator random)
    {
        for (ulong page = 0; page < 5; page++)
        {
            for (int i = 0; i < 512; i++)
            {
                if (!random.OneIn(70)) file.Set(page << 12, i, 0);
            }
        }
    }

    private static void Count(PhysicalImage image, InspectView view, ulong hpa, int level, Prot rights, bool isUser,
        SortedDictionary<byte, ulong> counts)
    {
        if (!image.TryReadEntry(hpa, out _))
        {
            Add(counts, LeafClass.Outside, 1);
            return;
        }
        for (ulong i = 0; i < 512; i++)
        {
            Assert.That(image.TryReadEntry(hpa + i * 8, out ulong entry), Is.True);
            EntryFacts facts = view.Describe(entry, level);
            facts.Rights &= rights;
            facts.IsUser &= isUser;
            switch (facts.Kind)
            {
                case EntryKind.Absent:
                    Add(counts, LeafClass.Hole, 1UL << (9 * (level - 1)));
                    break;
                case EntryKind.Malformed:
                    Add(counts, LeafClass.Malformed, 1);
                    break;
                case EntryKind.Leaf:
                    Add(counts, LeafClass.Of(level, in facts), 1);
                    break;
                default:
                    Count(image, view, facts.Address, level - 1, facts.Rights, facts.IsUser, counts);
                    break;
            }
        }
    }

    private static void Add(SortedDictionary<byte, ulong> counts, LeafClass which, ulong count) =>
        counts[which.Index] = counts.GetValueOrDefault(which.Index) + count;

    private static InspectRoot RootOf(RootKind kind) =>
        InspectRoot.FromOptions(new InspectOptions { File = "", Format = kind, Root = 0x1000 });

    private static (InspectScan Scan, PhysicalImage Image) Scan(ImageFile file, RootKind kind)
    {
        MappedFile mapped = MappedFile.Open(file.Path);
        var image = new PhysicalImage(mapped, [new ImageExtent(0, mapped.Length, 0)]);
        InspectRoot root = RootOf(kind);
        return (new InspectScan(image, root, new InspectView(root)), image);
    }
}
