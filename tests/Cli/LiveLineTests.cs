using System;
using System.IO;
using NUnit.Framework;
using Pagoda.Cli;
using Pagoda.Diagnostics;
using Pagoda.Machine;

namespace Pagoda.Tests.Cli;

public sealed class LiveLineTests
{
    [Test]
    public void TheLineGoesToTheLastRowAndBackAndSaysThatItIsNotCounted()
    {
        using var writer = new StringWriter();
        var line = new LiveLine(writer);
        line.Observe(Progress(isInside: false));
        Assert.That(writer.ToString(), Does.StartWith("\u001b7\u001b[999;1H").And.EndWith("\u001b8"));
        Assert.That(writer.ToString(), Does.Contain("100 MIPS").And.Contain("line not measured"));
    }

    [Test]
    public void PagesThatWereSwappedAreShown()
    {
        using var writer = new StringWriter();
        var line = new LiveLine(writer);
        line.Observe(Progress(isInside: false));
        Assert.That(writer.ToString(), Does.Not.Contain("swap"));
        line.Observe(Progress(isInside: false, new GuestCounters { SwapIns = 12, SwapOuts = 34 }));
        Assert.That(writer.ToString(), Does.Contain("swap 12 in 34 out"));
    }

    [Test]
    public void ItStaysAwayInsideAControlSequence()
    {
        using var writer = new StringWriter();
        new LiveLine(writer).Observe(Progress(isInside: true));
        Assert.That(writer.ToString(), Is.Empty);
    }

    [Test]
    public void ItCanBeTakenAway()
    {
        using var writer = new StringWriter();
        new LiveLine(writer).Clear();
        Assert.That(writer.ToString(), Is.EqualTo("\u001b7\u001b[999;1H\u001b[2K\u001b8"));
    }

    private static RunProgress Progress(bool isInside, GuestCounters counters = default) => new()
    {
        Elapsed = TimeSpan.FromSeconds(2),
        GuestInstructions = 200_000_000,
        Counters = counters,
        IsInsideControlSequence = isInside,
    };
}
