using NUnit.Framework;
using Pagoda.PageTables;

namespace Pagoda.Tests.PageTables;

public sealed class WalkFormatTests
{
    [Test]
    public void LeavesAreToldByLevelAndBitSeven()
    {
        const ulong large = 1 << 7;
        WalkFormat f = WalkFormat.ForEpt(0x101E, 40, gigapages: false);
        Assert.That(f.IsLeaf(0, 1), Is.True);
        Assert.That(f.IsLeaf(0, 2), Is.False);
        Assert.That(f.IsLeaf(large, 2), Is.True);
        Assert.That(f.IsLeaf(large, 3), Is.False, "no 1 GiB leaves: the bit is reserved there");
        Assert.That(f.Reserved(3, isLeaf: false) & large, Is.Not.Zero);
        Assert.That(f.IsLeaf(large, 4), Is.False);
        Assert.That(f.Reserved(4, isLeaf: false) & large, Is.Not.Zero);
    }

    [Test]
    public void OnlyTheAlignmentCheckDiffersInACopy()
    {
        WalkFormat f = WalkFormat.ForX86(0x8001_0001, 0x5000, 0x30_0020, 0xD00, 40);
        WalkFormat copy = f.WithAlignmentCheck(true);
        Assert.That(copy.AlignmentCheck, Is.True);
        Assert.That(copy.WithAlignmentCheck(false).AlignmentCheck, Is.False);
        Assert.That((copy.Table, copy.Root, copy.Levels, copy.Smap), Is.EqualTo((f.Table, f.Root, f.Levels, f.Smap)));
        for (int level = 1; level <= 4; level++)
        {
            Assert.That(copy.Reserved(level, isLeaf: false), Is.EqualTo(f.Reserved(level, isLeaf: false)));
        }
    }
}
