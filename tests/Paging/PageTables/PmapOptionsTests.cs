using System;
using System.Collections.Generic;
using NUnit.Framework;
using Pagoda.PageTables;

namespace Pagoda.Tests.PageTables;

public sealed class PmapOptionsTests
{
    [Test]
    public void RefusesOptionsThatNameNoFormat()
    {
        var bad = new List<PmapOptions>
        {
            new() { Kind = (TableKind)3, PhysBits = 46 },
            new() { Levels = 3, PhysBits = 46 },
            new() { Levels = 6, PhysBits = 46 },
            new() { PhysBits = 31 },
            new() { PhysBits = 53 },
            new() { Kind = TableKind.Rvi, HardwareAd = false, PhysBits = 46 },
            new() { Superpages = false, Gigapages = true, PhysBits = 46 },
            default,
        };
        foreach (PmapOptions options in bad)
        {
            Assert.That(() => options.ToFormat(),
                Throws.TypeOf<ArgumentException>().With.Message.Contains("PmapOptions"));
        }
    }
}
