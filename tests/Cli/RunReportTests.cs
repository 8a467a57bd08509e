using System;
using System.Collections.Generic;
using System.Text;
using System.Text.Json;
using NUnit.Framework;
using Pagoda.Cli;
using Pagoda.Diagnostics;
using Pagoda.Machine;

namespace Pagoda.Tests.Cli;

public sealed class RunReportTests
{
    private static readonly string[] s_names =
    [
        "exit", "elapsedSeconds", "guestInstructions", "cpus", "vcpuInstructions", "guestMips", "console",
        "nestedFaults", "spuriousFaults", "accessedEmulations", "dirtyEmulations", "superpageAccessedEmulations",
        "adEmulationSuperpagePromotions",
        "mmioExits", "ioExits", "invalidations", "kicks", "holds", "releases", "residentPages", "wiredPages",
        "tablePages", "promotions", "promotionFailures", "promotionsScattered", "promotionsNotAccessed",
        "promotionsDifferent", "promotionsRaced", "promotionsNoFrame", "demotions", "superpages", "gigapages",
        "superpageCoverage", "swapIns", "swapOuts",
        "swapReadBytes", "swapWriteBytes", "zeroPagesElided", "cleanEvictions", "poisonedPages",
        "managedBytesAllocated", "gcCollections",
    ];

    [Test]
    public void TheNamesAreExactlyTheContracts()
    {
        using JsonDocument document = JsonDocument.Parse(RunReport.ToJson(Sample()));
        var names = new List<string>();
        foreach (JsonProperty property in document.RootElement.EnumerateObject()) names.Add(property.Name);
        Assert.That(names, Is.EqualTo(s_names));
    }

    [Test]
    public void EachNumberStandsUnderItsName()
    {
        using JsonDocument document = JsonDocument.Parse(RunReport.ToJson(Sample()));
        JsonElement root = document.RootElement;
        Assert.That(root.GetProperty("exit").GetString(), Is.EqualTo("until"));
        Assert.That(root.GetProperty("elapsedSeconds").GetDouble(), Is.EqualTo(2.5));
        Assert.That(root.GetProperty("guestInstructions").GetUInt64(), Is.EqualTo(500_000_000UL));
        Assert.That(root.GetProperty("cpus").GetInt32(), Is.EqualTo(2));
        Assert.That(root.GetProperty("vcpuInstructions")[1].GetUInt64(), Is.EqualTo(200_000_000UL));
        Assert.That(root.GetProperty("guestMips").GetDouble(), Is.EqualTo(200));
        Assert.That(root.GetProperty("console").GetString(), Is.EqualTo("\u001b[1;1HPass:  1\n"));
        string[] counted =
        [
            "nestedFaults", "spuriousFaults", "accessedEmulations", "dirtyEmulations", "superpageAccessedEmulations",
            "adEmulationSuperpagePromotions", "mmioExits", "ioExits", "invalidations", "kicks", "holds", "releases",
            "residentPages", "wiredPages", "tablePages", "promotions", "demotions", "managedBytesAllocated",
            "gcCollections", "promotionFailures", "swapIns", "swapOuts", "swapReadBytes", "swapWriteBytes",
            "zeroPagesElided", "cleanEvictions", "poisonedPages",
        ];
        for (int i = 0; i < counted.Length; i++)
        {
            Assert.That(root.GetProperty(counted[i]).GetInt64(), Is.EqualTo(101 + i), counted[i]);
        }
        Assert.That(root.GetProperty("superpageCoverage").GetDouble(), Is.Zero);
    }

    [TestCase(RunEnd.Until, "until")]
    [TestCase(RunEnd.Halt, "halt")]
    [TestCase(RunEnd.Timeout, "timeout")]
    [TestCase(RunEnd.TripleFault, "triple-fault")]
    [TestCase(RunEnd.Error, "error")]
    public void EachEndHasItsWord(RunEnd end, string word) => Assert.That(RunReport.NameOf(end), Is.EqualTo(word));

    /// <summary>A run whose counters are all different.</summary>
    internal static RunResult Sample() => new()
    {
        End = RunEnd.Until,
        Message = "",
        Elapsed = TimeSpan.FromSeconds(2.5),
        GuestInstructions = 500_000_000,
        ProcessorInstructions = new ulong[] { 300_000_000, 200_000_000 },
        VirtualNanoseconds = 600_000_000,
        ConsoleTail = Encoding.ASCII.GetBytes("\u001b[1;1HPass:  1\n"),
        Counters = new GuestCounters
        {
            NestedFaults = 101,
            SpuriousFaults = 102,
            AccessedEmulations = 103,
            DirtyEmulations = 104,
            SuperpageAccessedEmulations = 105,
            AdEmulationSuperpagePromotions = 106,
            Invalidations = 109,
            Kicks = 110,
            Holds = 111,
            Releases = 112,
            ResidentPages = 113,
            WiredPages = 114,
            TablePages = 115,
            Promotions = 116,
            Demotions = 117,
            PromotionsScattered = 100,
            PromotionsRaced = 20,
            SwapIns = 121,
            SwapOuts = 122,
            SwapReadBytes = 123,
            SwapWriteBytes = 124,
            ZeroPagesElided = 125,
            CleanEvictions = 126,
            PoisonedPages = 127,
        },
        MmioExits = 107,
        IoExits = 108,
        UnclaimedAccesses = 7,
        ManagedBytesAllocated = 118,
        GcCollections = 119,
    };
}
