using System;
using NUnit.Framework;
using Pagoda.PageTables;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.PageTables;

[Category(Categories.Vectors)]
public sealed unsafe class PteVectorTests
{
    [Test]
    public void FillingEqualsItsScalarTwin()
    {
        using var vector = new GuardedRegion(4096);
        using var scalar = new GuardedRegion(4096);
        var random = new SeededGenerator(0x5EED_0002);
        for (int round = 0; round < 2000; round++)
        {
            vector.Bytes.Clear();
            scalar.Bytes.Clear();
            int first = random.Below(513);
            int count = random.Below(513 - first);
            ulong value = random.Next();
            ulong step = 1UL << random.Below(40);
            PteVector.FillRun((ulong*)vector.Base + first, count, value, step);
            PteVector.FillScalar((ulong*)scalar.Base + first, count, value, step);
            Assert.That(vector.Bytes.SequenceEqual(scalar.Bytes), Is.True, random.ToString());
        }
    }

    [Test]
    public void LookingEqualsItsScalarTwin()
    {
        using var region = new GuardedRegion(4096);
        var random = new SeededGenerator(0x5EED_0003);
        ulong* table = (ulong*)region.Base;
        for (int round = 0; round < 300; round++)
        {
            for (int i = 0; i < 512; i++) table[i] = random.OneIn(20) ? random.Next() : 0;
            ulong bits = 1UL << random.Below(64) | 1UL << random.Below(64);
            for (int i = 0; i < 512; i += PteVector.Lanes)
                Assert.That(PteVector.Look(table + i, bits), Is.EqualTo(PteVector.LookScalar(table + i, bits)));
        }
    }

    [Test]
    public void ComparingATableAgreesWithItsTwins()
    {
        using var region = new GuardedRegion(4096);
        ulong* table = (ulong*)region.Base;
        var random = new SeededGenerator(0x5EED_0005);
        for (int round = 0; round < 300; round++)
        {
            ulong first = random.Next() & ~0xFFF_FFFFUL;
            for (int i = 0; i < 512; i++) table[i] = first + (ulong)i * 4096;
            if (round % 3 != 0) table[random.Below(512)] ^= 1UL << random.Below(64);
            ulong bits = round % 2 == 0 ? ulong.MaxValue : ~0xF000_0000_0000_0007UL;
            first &= bits;
            ulong differ = PteVector.CompareScalar(table, first, 4096, bits);
            Assert.That(PteVector.Compare(table, first, 4096, bits), Is.EqualTo(differ), random.ToString());
            Assert.That(PteVector.Compare256(table, first, 4096, bits), Is.EqualTo(differ), random.ToString());
            Assert.That(round % 3 != 0 || differ == 0, Is.True);
        }
    }
}
