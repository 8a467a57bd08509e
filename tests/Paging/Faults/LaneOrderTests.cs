using System;
using System.Numerics;
using NUnit.Framework;
using Pagoda.Faults;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Faults;

[Category(Categories.Vectors)]
public sealed unsafe class LaneOrderTests
{
    private const int Lanes = 64;

    [TestCase(1UL)]
    [TestCase(2UL)]
    public void BothFormsSortEverySet(ulong seed)
    {
        var random = new SeededGenerator(seed);
        using var columns = new GuardedRegion(Lanes * sizeof(ulong));
        using var orders = new GuardedRegion(Lanes);
        Span<ulong> gpa = columns.Column<ulong>();
        for (int round = 0; round < 500; round++)
        {
            int bits = random.Between(13, 52);
            foreach (ref ulong address in gpa) address = random.Next() >> (64 - bits);
            ulong set = random.Next();
            if (random.OneIn(2)) set &= random.Next() & random.Next();
            if (random.OneIn(8)) set = ulong.MaxValue;
            int count = LaneOrder.Sort((ulong*)columns.Base, set, orders.Base);
            Check(gpa, set, orders.Bytes[..count], random);

            orders.Bytes.Fill(0xFF);
            LaneOrder.SortByRank((ulong*)columns.Base, set, orders.Base);
            Check(gpa, set, orders.Bytes[..count], random);

            int lane = 0;
            for (ulong rest = set; rest != 0; rest &= rest - 1)
            {
                orders.Bytes[lane++] = (byte)BitOperations.TrailingZeroCount(rest);
            }
            LaneOrder.SortByInsertion((ulong*)columns.Base, orders.Base, count);
            Check(gpa, set, orders.Bytes[..count], random);
        }
    }

    private static void Check(ReadOnlySpan<ulong> gpa, ulong set, ReadOnlySpan<byte> order, SeededGenerator random)
    {
        ulong seen = 0;
        for (int i = 0; i < order.Length; i++)
        {
            seen |= 1UL << order[i];
            if (i == 0) continue;
            (ulong low, ulong high) = (gpa[order[i - 1]] >> 12, gpa[order[i]] >> 12);
            Assert.That(low < high || (low == high && order[i - 1] < order[i]), random.ToString());
        }
        Assert.That(seen, Is.EqualTo(set), random.ToString());
    }
}
