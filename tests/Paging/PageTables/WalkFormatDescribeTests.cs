using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.PageTables;

public sealed class WalkFormatDescribeTests
{
    private static readonly WalkFormat[] s_formats =
    [
        WalkFormat.ForEpt(0x105E, 46),
        WalkFormat.ForEpt(0x101E, 40, execOnly: false, gigapages: false),
        WalkFormat.ForNpt(0x1000, 46),
        WalkFormat.ForNpt(0x1000, 40, noExecute: false),
        WalkFormat.ForX86(0x8001_0000, 0x1000, 0x20, 0xD00, 46),
        WalkFormat.ForX86(0x8001_0000, 0x1000, 0x20, 0x500, 46),
    ];

    /// <summary>A walk through permissive tables to one entry must agree with what the entry is said to be.</summary>
    [Test]
    public void TheWalkerAgrees([Range(0, 5)] int which)
    {
        WalkFormat format = s_formats[which];
        var random = new SeededGenerator(0x61 + (ulong)which);
        using var image = new TableImage(8);
        for (int i = 0; i < 20_000; i++)
        {
            int level = random.Between(1, 3);
            ulong entry = RandomEntry(random);
            EntryFacts facts = format.Describe(entry, level);
            for (int above = 4; above > level; above--) image.Entry((ulong)(5 - above) << 12, 0) = TableTo(6 - above);
            image.Entry((ulong)(5 - level) << 12, 0) = entry;
            WalkResult read = image.Walk(in format, 0x123, Prot.Read, user: true);
            string text = random + ": level " + level + ", entry 0x" + entry.ToString("x", null);
            AssertAgrees(in facts, in read, format.Table == WalkTable.Ept, 4 - level + 1, text);
            if (facts.Kind != EntryKind.Leaf) continue;
            foreach (Prot access in (Prot[])[Prot.Read, Prot.Write, Prot.Execute])
            {
                image.Entry((ulong)(5 - level) << 12, 0) = entry;
                bool allowed = (facts.Rights & access) != 0 && facts.IsUser;
                Assert.That(image.Walk(in format, 0x123, access, user: true).Outcome == WalkOutcome.Ok,
                    Is.EqualTo(allowed), text + ", " + access);
            }
        }
    }

    private static void AssertAgrees(in EntryFacts facts, in WalkResult read, bool isEpt, int entries, string text)
    {
        bool refused = isEpt ? read.Outcome == WalkOutcome.Misconfiguration : (read.Info & 8) != 0;
        switch (facts.Kind)
        {
            case EntryKind.Absent:
                Assert.That(read.Outcome, Is.Not.EqualTo(WalkOutcome.Ok), text);
                Assert.That(refused, Is.False, text);
                Assert.That(read.EntryCount, Is.EqualTo(entries), text);
                break;
            case EntryKind.Malformed:
                Assert.That(refused, Is.True, text);
                Assert.That(read.EntryCount, Is.EqualTo(entries), text);
                break;
            case EntryKind.Leaf:
                Assert.That(refused, Is.False, text);
                Assert.That(read.EntryCount, Is.EqualTo(entries), text);
                if (read.Outcome == WalkOutcome.Ok) Assert.That(read.Hpa, Is.EqualTo(facts.Address + 0x123), text);
                break;
            default:
                bool isOutside = read.Outcome == WalkOutcome.Outside;
                Assert.That(read.EntryCount > entries || isOutside, Is.True, text);
                if (isOutside && read.EntryCount == entries) Assert.That(read.Hpa, Is.EqualTo(facts.Address), text);
                break;
        }
    }

    private static ulong TableTo(int page) => ((ulong)page << 12) | 7;

    private static ulong RandomEntry(SeededGenerator random)
    {
        ulong entry = random.Next() & 0xFFF;
        if (random.OneIn(2)) entry |= (random.Next() & 0x3FF) << 30;
        if (random.OneIn(4)) entry |= 1UL << random.Between(12, 63);
        if (random.OneIn(8)) entry |= random.Next();
        return entry;
    }

    [Test]
    public void BitsThatHardwareIgnoresAreNamed()
    {
        Assert.That(s_formats[0].Describe(0x00F0_0000_0123_4C77, 1).Ignored, Is.EqualTo(0x00F0_0000_0000_0C00UL));
        Assert.That(s_formats[1].Describe(0x0000_0000_0123_4377, 1).Ignored, Is.EqualTo(0x300UL), "A/D are off");
        Assert.That(s_formats[2].Describe(0x00F0_0000_0123_4E67, 1).Ignored, Is.EqualTo(0x00F0_0000_0000_0E00UL));
        Assert.That(s_formats[4].Describe(0x10, 1).Ignored, Is.EqualTo(0x10UL), "all of an absent entry");
    }

    [Test]
    public void MemoryTypesAreReadByFormat()
    {
        EntryFacts ept = s_formats[0].Describe(0x1077, 1);
        Assert.That((ept.MemoryType, ept.IgnoresPat), Is.EqualTo((6, true)));
        Assert.That(s_formats[2].Describe(0x109F, 1).MemoryType, Is.EqualTo(7), "PAT, PCD, PWT of a 4 KiB leaf");
        Assert.That(s_formats[2].Describe(0x20_1087, 2).MemoryType, Is.EqualTo(4), "PAT of a superpage is bit 12");
    }
}
