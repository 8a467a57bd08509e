using System.Collections.Generic;
using NUnit.Framework;

namespace Pagoda.Tests.Machine.Apic;

public sealed class ApicRouterTests
{
    private const uint Nmi = 0x400;
    private const uint Logical = 1 << 11;

    [TestCase(0u, (byte)2, "2")]
    [TestCase(0u, (byte)9, "")]
    [TestCase(0u, (byte)0xFF, "0123")]
    [TestCase(1u << 18, (byte)3, "1")]
    [TestCase(2u << 18, (byte)3, "0123")]
    [TestCase(3u << 18, (byte)3, "023")]
    public void PhysicalDestinationsAndShorthands(uint shorthand, byte destination, string reached)
    {
        var group = new ApicGroup(4);
        group.Send(1, Nmi | shorthand, destination);
        Assert.That(Reached(group), Is.EqualTo(reached));
    }

    [TestCase((byte)0x01, "0")]
    [TestCase((byte)0x0C, "23")]
    [TestCase((byte)0xFF, "0123")]
    [TestCase((byte)0x10, "")]
    public void LogicalDestinationsOfTheFlatModel(byte destination, string reached)
    {
        var group = new ApicGroup(4);
        for (int i = 0; i < 4; i++) group.Write(i, 0xD0, 1u << (24 + i));
        group.Send(0, Nmi | Logical, destination);
        Assert.That(Reached(group), Is.EqualTo(reached));
    }

    [TestCase((byte)0x01, "0")]
    [TestCase((byte)0x03, "01")]
    [TestCase((byte)0x12, "3")]
    [TestCase((byte)0xFF, "0123")]
    public void LogicalDestinationsOfTheClusterModel(byte destination, string reached)
    {
        var group = new ApicGroup(4);
        for (int i = 0; i < 4; i++)
        {
            group.Write(i, 0xE0, 0);
            group.Write(i, 0xD0, (uint)(i / 2 << 4 | 1 << (i % 2)) << 24);
        }
        group.Send(0, Nmi | Logical, destination);
        Assert.That(Reached(group), Is.EqualTo(reached));
    }

    [Test]
    public void TheLowestPriorityTakesAnInterruptForAll()
    {
        var group = new ApicGroup(3);
        for (int i = 0; i < 3; i++) group.Enable(i);
        group.Targets[0].TaskPriorityClass = 3;
        group.Targets[2].TaskPriorityClass = 5;
        group.Targets[1].TaskPriorityClass = 2;
        group.Send(0, 0x140, 0xFF);
        Assert.That(Reached(group), Is.EqualTo("1"));
    }

    [Test]
    public void TheEndOfAnInitsLevelReachesNobody()
    {
        var group = new ApicGroup(2);
        group.Send(0, 0x500 | 1 << 15, 1);
        Assert.That(Reached(group), Is.Empty);
        group.Send(0, 0x500 | 1 << 15 | 1 << 14, 1);
        Assert.That(Reached(group), Is.EqualTo("1"));
        group.Send(0, 0x61D, 1);
        Assert.That(group.Targets[1].Events, Is.EqualTo(new[] { "init", "start 29" }));
    }

    private static string Reached(ApicGroup group)
    {
        var reached = new List<string>();
        for (int i = 0; i < group.Targets.Count; i++)
        {
            if (group.Targets[i].Events.Count > 0) reached.Add(i.ToString(null, null));
        }
        return string.Concat(reached);
    }
}
