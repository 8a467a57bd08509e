using System;
using System.Collections.Generic;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Simulator.Faults;

namespace Pagoda.Tests.Simulator;

/// <summary>The numbered faults are all there, and those that show soon are caught here too.</summary>
internal sealed class FaultTableTests
{
    private const int Numbered = 87;
    private const ulong SeedsMax = 3000;

    private static readonly string[] s_soon =
        ["1.1", "1.2", "1.7", "1.8", "2.8", "3.3", "3.7", "3.8", "3.10", "3.12", "4.1", "4.2", "4.4", "4.12", "6.6",
         "6.8", "6.9", "7.1", "7.6", "10.1"];

    [Test]
    public void EveryNumberIsThereOnceWithAFaultOrAReason()
    {
        var numbers = new HashSet<string>(StringComparer.Ordinal);
        foreach (FaultRow row in FaultTable.All)
        {
            Assert.That(numbers.Add(row.Number), Is.True, row.Number);
            Assert.That(row.Scenarios.Length == 0, Is.EqualTo(row.Reason.Length != 0), row.ToString());
        }
        Assert.That(numbers, Has.Count.EqualTo(Numbered));
    }

    [Test]
    public void EveryRuleThatCanBeBrokenHasANumber()
    {
        var planted = new HashSet<PlantedFault>();
        foreach (FaultRow row in FaultTable.All) planted.Add(row.Fault);
        foreach (PlantedFault fault in Enum.GetValues<PlantedFault>())
        {
            if (fault != PlantedFault.HarvestLooksOnce) Assert.That(planted, Does.Contain(fault));
        }
    }

    [TestCaseSource(nameof(s_soon))]
    public void AFaultThatIsPlantedIsReported(string number)
    {
        foreach (FaultRow row in FaultTable.All)
        {
            if (row.Number != number) continue;
            ulong seeds = Sensitivity.CatchOn(Workers.Simulation, row, SeedsMax);
            Assert.That(seeds, Is.AtMost(SeedsMax), row.ToString());
        }
    }
}
