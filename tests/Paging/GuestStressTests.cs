using System;
using System.Collections.Generic;
using System.IO;
using NUnit.Framework;
using Pagoda.Perf.Stress;

namespace Pagoda.Tests;

/// <summary>A second of every format of <c>perf -- stress</c>, which the check of a change runs for longer.</summary>
internal sealed class GuestStressTests
{
    private static IEnumerable<StressFormat> Formats => StressFormat.All;

    [TestCaseSource(nameof(Formats))]
    public void NothingIsLostBetweenVcpusADeviceTheDaemonAndAMapThatChanges(StressFormat format) =>
        Assert.That(StressWorld.Run(format, TimeSpan.FromSeconds(1), seed: 1, TextWriter.Null), Is.Null, "seed 1");

    [TestCase(30.0)]
    [TestCase(90.0, "--seconds", "90")]
    [TestCase(300.0, "--minutes", "5")]
    public void ARunTakesTheTimeThatItIsTold(double seconds, params string[] options) =>
        Assert.That(StressRunner.TimeOf(options), Is.EqualTo(TimeSpan.FromSeconds(seconds)));

    [TestCase("--minutes")]
    [TestCase("--minutes", "0")]
    [TestCase("--hours", "1")]
    public void OtherOptionsAreRefused(params string[] options) =>
        Assert.That(StressRunner.TimeOf(options), Is.Null);
}
