using NUnit.Framework;
using Pagoda.PageTables;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.PageTables;

public sealed unsafe class PteScanTests
{
    [TestCase(2)]
    [TestCase(60)]
    [TestCase(512)]
    public void FindsEveryEntryWithTheBitsInOrder(int sparse)
    {
        using var region = new GuardedRegion(4096);
        ulong* table = (ulong*)region.Base;
        var random = new SeededGenerator(0x5EED_0004 + (ulong)sparse);
        for (int round = 0; round < 1000; round++)
        {
            for (int i = 0; i < 512; i++) table[i] = random.OneIn(sparse) ? 2UL : 1;
            int from = random.Below(513);
            int end = from + random.Below(513 - from);
            var scan = new PteScan(table, from, end, 2);
            for (int i = from; i < end; i++)
            {
                if ((table[i] & 2) == 0) continue;
                Assert.That(scan.TryNext(out int found), Is.True, random.ToString());
                Assert.That(found, Is.EqualTo(i), random.ToString());
            }
            Assert.That(scan.TryNext(out _), Is.False, random.ToString());
            Assert.That(scan.TryNext(out _), Is.False, "it stays at the end");
        }
    }
}
