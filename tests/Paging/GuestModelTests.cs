using System.Collections.Generic;
using NUnit.Framework;
using Pagoda.Tests.Model;
using Pagoda.Tests.Support;

namespace Pagoda.Tests;

/// <summary>
/// Whole guests against a byte-exact shadow, in arenas with room and in ones that run dry all the time.
/// </summary>
public sealed class GuestModelTests
{
    private const int Operations = 1_500;

    private static IEnumerable<TestCaseData> Cases()
    {
        foreach (GuestFormat format in GuestFormats.All)
        {
            yield return new TestCaseData(format, 4096UL, 1UL);
            yield return new TestCaseData(format, 120UL, 2UL);
            yield return new TestCaseData(format, 90UL, 3UL);
            yield return new TestCaseData(format, 60UL, 4UL);
        }
    }

    [TestCaseSource(nameof(Cases))]
    public void GuestsAgreeWithTheirShadows(GuestFormat format, ulong arenaFrames, ulong seed)
    {
        using var driver = new GuestModelDriver(format, arenaFrames, seed);
        driver.Run(Operations);
        driver.Finish();
        if (arenaFrames > 1000) Assert.That(driver.Exhaustions, Is.Zero);
        else Assert.That(driver.Exhaustions, Is.Positive);
        string[] all =
        [
            "MapMemory", "MapRom", "MapObject", "MapDevice", "Unmap", "Protect", "Remap", "RestartGuest", "AccessRead",
            "AccessWrite", "AccessExecute", "FaultBatch", "CopyIn", "CopyOut", "Harvest",
        ];
        foreach (string operation in all)
        {
            Assert.That(driver.Successes.GetValueOrDefault(operation), Is.Positive, operation + " never succeeded");
        }
    }
}
