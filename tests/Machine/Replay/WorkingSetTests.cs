using System.Collections.Generic;
using NUnit.Framework;
using Pagoda.Machine.Replay;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Machine.Replay;

public sealed class WorkingSetTests
{
    [Test]
    public void EveryWindowCountsItsPagesOnce()
    {
        const uint Pages = 300;
        const ulong Accesses = 250_000;
        var random = new SeededGenerator(5);
        using var workingSet = new WorkingSet(Pages);
        ulong[] lengths = [10_000, 100_000];
        HashSet<uint>[] current = [[], []];
        ulong[] sum = new ulong[2];
        ulong[] most = new ulong[2];
        ulong[] windows = new ulong[2];
        for (ulong i = 0; i < Accesses; i++)
        {
            var page = (uint)random.Below(random.OneIn(5000) ? Pages : 1 + (ulong)(i / 3000));
            workingSet.Touch(page, i);
            foreach (HashSet<uint> set in current) set.Add(page);
            if ((i + 1) % lengths[0] != 0) continue;
            workingSet.Advance(i + 1);
            for (int w = 0; w < 2; w++)
            {
                if ((i + 1) % lengths[w] != 0) continue;
                sum[w] += (ulong)current[w].Count;
                most[w] = ulong.Max(most[w], (ulong)current[w].Count);
                windows[w]++;
                current[w].Clear();
            }
        }
        for (int w = 0; w < 2; w++)
        {
            Assert.That(workingSet.Point(w), Is.EqualTo(new WorkingSetPoint(lengths[w], windows[w],
                (double)sum[w] / windows[w], most[w])));
        }
        Assert.That(workingSet.Point(2), Is.EqualTo(new WorkingSetPoint(1_000_000, 0, 0, 0)));
    }
}
