using System;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.PageTables;

public sealed class PmapLookupBatchTests
{
    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void EveryLaneEqualsItsOwnLookup(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        var random = new SeededGenerator(0x5EED_0005);
        ulong pages = h.TakePages(9);
        ulong[] interesting =
        [
            0, PmapHarness.Mega2, 3 * PmapHarness.Mega2, PmapHarness.Giga, 1UL << 39, h.Pmap.GpaLimit, ulong.MaxValue,
        ];
        h.EnterRun(0, pages, 300, new LeafRequest(Prot.All, Prot.Read), out _);
        h.EnterSuperpage(PmapHarness.Mega2, pages, 2, new LeafRequest(Prot.All, Prot.Read));
        h.EnterSuperpage(1UL << 39, 1UL << 45, 3, new LeafRequest(Prot.All, Prot.Read, managed: false));
        h.Pmap.LockWindow(PmapHarness.Mega2, h.Cache, out WindowLock window);
        var gpas = new ulong[Pmap.LookupLanesMax];
        var entries = new ulong[Pmap.LookupLanesMax];
        var levels = new byte[Pmap.LookupLanesMax];
        for (int round = 0; round < 200; round++)
        {
            int lanes = random.Below(Pmap.LookupLanesMax + 1);
            for (int i = 0; i < lanes; i++)
                gpas[i] = random.Pick<ulong>(interesting) + random.Below(2 * PmapHarness.Mega2);
            h.Pmap.LookupBatch(gpas.AsSpan(0, lanes), entries, levels);
            for (int i = 0; i < lanes; i++)
            {
                Assert.That(entries[i], Is.EqualTo(h.Pmap.Lookup(gpas[i], out int level)), random.ToString());
                Assert.That(levels[i], Is.EqualTo(level), random.ToString());
            }
        }
        h.Pmap.Unlock(window);
    }

    [Test]
    public void ShortColumnsAreRefused()
    {
        using var h = new PmapHarness(Formats.Ept);
        Assert.That(() => h.Pmap.LookupBatch(new ulong[65], new ulong[65], new byte[65]),
            Throws.TypeOf<InvariantException>());
        Assert.That(() => h.Pmap.LookupBatch(new ulong[2], new ulong[1], new byte[2]),
            Throws.TypeOf<InvariantException>());
        Assert.That(() => h.Pmap.LookupBatch(new ulong[2], new ulong[2], new byte[1]),
            Throws.TypeOf<InvariantException>());
    }
}
