using NUnit.Framework;
using Pagoda.Machine.Dump;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Machine.Dump;

public sealed unsafe class SegmentedMemoryTests
{
    [Test]
    public void EveryAddressIsFoundAsALinearSearchFindsIt()
    {
        var random = new SeededGenerator(0x51);
        for (int round = 0; round < 200; round++)
        {
            ImageExtent[] extents = MakeExtents(random, out ulong span, out ulong backing);
            using var region = new GuardedRegion((int)backing + 8, 8);
            fixed (ImageExtent* first = extents)
            {
                var memory = new SegmentedMemory(region.Base, first, extents.Length, isReadOnly: true);
                for (ulong hpa = 0; hpa < span + 32; hpa += 4)
                {
                    int bytes = hpa % 8 == 0 && random.OneIn(2) ? 8 : 4;
                    bool found = memory.TryMap(hpa, bytes, out byte* pointer);
                    bool expected = Search(extents, hpa, bytes, out ulong offset);
                    Assert.That(found, Is.EqualTo(expected), random + " at " + hpa);
                    if (found) Assert.That((ulong)(pointer - region.Base), Is.EqualTo(offset), random.ToString());
                }
            }
        }
    }

    [TestCase(ulong.MaxValue & ~7UL)]
    [TestCase(1UL << 63)]
    public void FarAddressesAreOutside(ulong hpa)
    {
        ImageExtent extent = new(8, 64, 0);
        byte* backing = stackalloc byte[64];
        Assert.That(new SegmentedMemory(backing, &extent, 1, false).TryMap(hpa, 8, out _), Is.False);
        Assert.That(new SegmentedMemory(backing, &extent, 0, false).TryMap(8, 8, out _), Is.False);
    }

    private static ImageExtent[] MakeExtents(SeededGenerator random, out ulong span, out ulong backing)
    {
        var extents = new ImageExtent[random.Below(6)];
        span = 0;
        backing = 0;
        for (int i = 0; i < extents.Length; i++)
        {
            ulong hpa = span + 8 * random.Below(4UL);
            ulong bytes = random.OneIn(4) ? 4 * random.Below(10UL) : 8 * random.Below(10UL);
            extents[i] = new ImageExtent(hpa, bytes, backing);
            span = (hpa + bytes + 7) & ~7UL;
            backing += (bytes + 7) & ~7UL;
        }
        return extents;
    }

    private static bool Search(ImageExtent[] extents, ulong hpa, int bytes, out ulong offset)
    {
        foreach (ImageExtent extent in extents)
        {
            offset = extent.Offset + hpa - extent.Hpa;
            if (hpa >= extent.Hpa && hpa + (ulong)bytes <= extent.Hpa + extent.Bytes) return true;
        }
        offset = 0;
        return false;
    }
}
