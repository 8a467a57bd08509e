using System;
using System.Collections.Generic;
using System.Reflection;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.GuestAccess;
using Pagoda.PageTables;
using Pagoda.Physical;
using Pagoda.Tests.Support;
using Pagoda.Tlb;

namespace Pagoda.Tests.Gates;

/// <summary>Nothing marked allocation-free allocates, and the rules behind that catch what they claim to.</summary>
public sealed class AllocationFreeTests
{
    private static readonly AllocationFreeRules s_rules =
        new(typeof(Invariant).Assembly, Assembly.Load("Pagoda.Linux"), Assembly.Load("Pagoda.Machine"));

    [Test]
    public void MarkedCodeAllocatesNothing()
    {
        var found = new List<string>();
        List<MethodBase> marked = s_rules.MarkedMethods();
        foreach (MethodBase method in marked) found.AddRange(s_rules.Violations(method));
        Assert.That(marked, Is.Not.Empty);
        Assert.That(found, Is.Empty, string.Join('\n', found));
    }

    [TestCase(typeof(Shared))]
    [TestCase(typeof(Wait))]
    [TestCase(typeof(FrameAllocator))]
    [TestCase(typeof(FrameCache))]
    [TestCase(typeof(FrameTable))]
    [TestCase(typeof(ZeroedPool))]
    [TestCase(typeof(PageZeroing))]
    [TestCase(typeof(Pmap))]
    [TestCase(typeof(Walker))]
    [TestCase(typeof(ConsumerTable))]
    [TestCase(typeof(ShootdownGather))]
    [TestCase(typeof(Limbo))]
    [TestCase(typeof(SoftTlb))]
    [TestCase(typeof(FaultPipeline))]
    [TestCase(typeof(GuestHold))]
    [TestCase(typeof(GuestHoldBatch))]
    [TestCase(typeof(GuestCopy))]
    [TestCase(typeof(GuestTranslation))]
    public void HotTypesAreMarked(Type type) =>
        Assert.That(type.IsDefined(typeof(AllocationFreeAttribute), false), Is.True);

    [TestCase(nameof(Planted.MakesAnArray), "makes an array")]
    [TestCase(nameof(Planted.MakesAnObject), "makes an object")]
    [TestCase(nameof(Planted.Boxes), "boxes")]
    [TestCase(nameof(Planted.MakesADelegate), "makes a delegate")]
    [TestCase(nameof(Planted.CallsUnmarkedCode), "not marked")]
    [TestCase(nameof(Planted.CallsAnUnmarkedInterface), "not marked")]
    [TestCase(nameof(Planted.Formats), "not on the vetted list")]
    [TestCase(nameof(Planted.Throws), "makes an object")]
    public void APlantedAllocationIsFound(string method, string reason)
    {
        List<string> found = PlantedRules.Violations(typeof(Planted).GetMethod(method)!);
        Assert.That(found, Has.Some.Contains(reason));
    }

    [TestCase(nameof(Planted.IsInnocent))]
    [TestCase(nameof(Planted.CallsAMarkedInterface))]
    [TestCase(nameof(Planted.CallsAThrowHelper))]
    public void InnocentCodePasses(string method) =>
        Assert.That(PlantedRules.Violations(typeof(Planted).GetMethod(method)!), Is.Empty);

    [Test]
    public void ImplementationsOfAMarkedInterfaceAreBoundByIt() =>
        Assert.That(PlantedRules.MarkedMethods(), Has.Some.EqualTo(typeof(PlantedVisitor).GetMethod("Visit")));

    private static AllocationFreeRules PlantedRules { get; } =
        new(typeof(Planted).Assembly, typeof(Invariant).Assembly);
}

/// <summary>Marked through its interface only.</summary>
internal struct PlantedVisitor : IPlantedMarked
{
    /// <inheritdoc/>
    public readonly int Visit(int value) => value + 1;
}

/// <summary>An interface with the mark.</summary>
[AllocationFree]
internal interface IPlantedMarked
{
    /// <summary>Visits.</summary>
    int Visit(int value);
}

/// <summary>An interface without the mark.</summary>
internal interface IPlantedUnmarked
{
    /// <summary>Visits.</summary>
    int Visit(int value);
}

/// <summary>One method for each thing that the rules must find, and some that they must let pass.</summary>
internal static class Planted
{
    public static int MakesAnArray(int length) => new int[length].Length;

    public static object MakesAnObject() => new SeededGenerator(1);

    public static object Boxes(int value) => value;

    public static Func<int, int> MakesADelegate(int addend) => value => value + addend;

    public static ulong CallsUnmarkedCode(SeededGenerator generator) => generator.Next();

    public static int CallsAnUnmarkedInterface(IPlantedUnmarked visitor) => visitor.Visit(1);

    public static string Formats(int value) => value.ToString(null, null);

    public static int Throws(int value) => value > 0 ? value : throw new InvalidOperationException();

    public static int IsInnocent(ReadOnlySpan<int> values)
    {
        Span<int> sums = stackalloc int[4];
        for (int i = 0; i < values.Length; i++) sums[i & 3] += Math.Max(values[i], 0);
        return sums[0] + sums[1] + sums[2] + sums[3];
    }

    public static int CallsAMarkedInterface<T>(T visitor) where T : struct, IPlantedMarked => visitor.Visit(1);

    public static int CallsAThrowHelper(int value)
    {
        Invariant.Require(value > 0);
        return value;
    }
}
