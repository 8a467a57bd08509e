using System;
using NUnit.Framework;

namespace Pagoda.Tests.Support;

/// <summary>The tests' own tools do what the tests rely on.</summary>
public sealed unsafe class SupportTests
{
    [Test]
    public void TheGeneratorGivesThePublishedSequence()
    {
        var generator = new SeededGenerator(1234567);
        ulong[] drawn = [generator.Next(), generator.Next(), generator.Next()];
        Assert.That(drawn, Is.EqualTo(new[]
        {
            6457827717110365317UL, 3203168211198807973UL, 9817491932198370423UL,
        }));
        Assert.That(generator.ToString(), Is.EqualTo("seed 0x12d687, 3 values drawn"));
    }

    [Test]
    public void NumbersStayInsideTheirBounds()
    {
        var generator = new SeededGenerator(7);
        int[] seen = new int[6];
        for (int i = 0; i < 600; i++) seen[generator.Between(2, 5)]++;
        Assert.That(seen[0] + seen[1], Is.Zero, generator.ToString());
        Assert.That(new ArraySegment<int>(seen, 2, 4), Is.All.GreaterThan(100), generator.ToString());
    }

    [Test]
    public void ShufflingKeepsEveryValue()
    {
        var generator = new SeededGenerator(7);
        int[] values = [1, 2, 3, 4, 5, 6, 7, 8];
        generator.Shuffle<int>(values);
        Assert.That(values, Is.Not.Ordered.And.EquivalentTo(new[] { 1, 2, 3, 4, 5, 6, 7, 8 }));
    }

    [TestCase(1, 1)]
    [TestCase(64, 64)]
    [TestCase(4096, 4096)]
    [TestCase(5000, 8)]
    public void AGuardedRegionEndsAtItsGuardPage(int length, int alignment)
    {
        using var region = new GuardedRegion(length, alignment);
        Assert.That((ulong)region.Base % (ulong)alignment, Is.Zero);
        Assert.That(((ulong)(region.Base + length) + (ulong)alignment - 1) / (ulong)alignment * (ulong)alignment % 4096,
            Is.Zero);
        region.Bytes.Fill(0xA5);
        Assert.That(region.Base[length - 1], Is.EqualTo(0xA5));
    }

    [Test]
    public void TheRootHoldsTheSolution() => Assert.That(RepositoryRoot.At("Engine.sln"), Does.Exist);
}
