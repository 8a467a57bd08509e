#if !DEBUG
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using System.Threading;
using NUnit.Framework;
using Pagoda.Core;
using Broken = Pagoda.Core.Planted;

namespace Pagoda.Tests.Gates;

/// <summary>
/// The shipped engine has no scheduling points: each access to shared state, and each question for a planted fault,
/// compiles to the same instructions, as many and the same ones, as the runtime's own operation or as nothing.
/// </summary>
public sealed unsafe class MachineCodeTests
{
    private const MethodImplOptions Compiled = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;

    [TestCase(nameof(Load), nameof(PlainLoad))]
    [TestCase(nameof(Store), nameof(PlainStore))]
    [TestCase(nameof(CompareExchange), nameof(PlainCompareExchange))]
    [TestCase(nameof(Exchange), nameof(PlainExchange))]
    [TestCase(nameof(Or), nameof(PlainOr))]
    [TestCase(nameof(And), nameof(PlainAnd))]
    [TestCase(nameof(Add), nameof(PlainAdd))]
    [TestCase(nameof(Fence), nameof(PlainFence))]
    [TestCase(nameof(StoreFence), nameof(PlainStoreFence))]
    [TestCase(nameof(AskForFault), nameof(AskForNothing))]
    public void CompilesToTheSameInstructions(string engine, string plain)
    {
        List<string> expected = MachineCode.Of(typeof(MachineCodeTests), plain);
        List<string> actual = MachineCode.Of(typeof(MachineCodeTests), engine);
        TestContext.Out.WriteLine(engine + ": " + string.Join("; ", actual));
        Assert.That(actual, Is.EqualTo(expected));
    }

    [Test]
    public void ASpareInstructionIsSeen()
    {
        List<string> two = MachineCode.Of(typeof(MachineCodeTests), nameof(LoadTwice));
        Assert.That(two, Has.Count.GreaterThan(MachineCode.Of(typeof(MachineCodeTests), nameof(Load)).Count));
    }

    [MethodImpl(Compiled)]
    private static ulong Load(ulong* cell) => Shared.Load(cell);

    [MethodImpl(Compiled)]
    private static ulong PlainLoad(ulong* cell) => Volatile.Read(ref *cell);

    [MethodImpl(Compiled)]
    private static ulong LoadTwice(ulong* cell) => Shared.Load(cell) + Shared.Load(cell);

    [MethodImpl(Compiled)]
    private static void Store(ulong* cell, ulong value) => Shared.Store(cell, value);

    [MethodImpl(Compiled)]
    private static void PlainStore(ulong* cell, ulong value) => Volatile.Write(ref *cell, value);

    [MethodImpl(Compiled)]
    private static ulong CompareExchange(ulong* cell, ulong value, ulong seen) =>
        Shared.CompareExchange(cell, value, seen);

    [MethodImpl(Compiled)]
    private static ulong PlainCompareExchange(ulong* cell, ulong value, ulong seen) =>
        Interlocked.CompareExchange(ref *cell, value, seen);

    [MethodImpl(Compiled)]
    private static ulong Exchange(ulong* cell, ulong value) => Shared.Exchange(cell, value);

    [MethodImpl(Compiled)]
    private static ulong PlainExchange(ulong* cell, ulong value) => Interlocked.Exchange(ref *cell, value);

    [MethodImpl(Compiled)]
    private static void Or(ulong* cell, ulong bits) => Shared.Or(cell, bits);

    [MethodImpl(Compiled)]
    private static void PlainOr(ulong* cell, ulong bits) => Interlocked.Or(ref *cell, bits);

    [MethodImpl(Compiled)]
    private static void And(ulong* cell, ulong bits) => Shared.And(cell, bits);

    [MethodImpl(Compiled)]
    private static void PlainAnd(ulong* cell, ulong bits) => Interlocked.And(ref *cell, bits);

    [MethodImpl(Compiled)]
    private static ulong Add(ulong* cell, ulong addend) => Shared.Add(cell, addend);

    [MethodImpl(Compiled)]
    private static ulong PlainAdd(ulong* cell, ulong addend) => Interlocked.Add(ref *cell, addend);

    [MethodImpl(Compiled)]
    private static void Fence() => Shared.Fence();

    [MethodImpl(Compiled)]
    private static void PlainFence() => Interlocked.MemoryBarrier();

    [MethodImpl(Compiled)]
    private static void StoreFence() => Shared.StoreFence();

    [MethodImpl(Compiled)]
    private static void PlainStoreFence()
    {
        if (Sse.IsSupported) Sse.StoreFence();
        else Interlocked.MemoryBarrier();
    }

    [MethodImpl(Compiled)]
    private static ulong AskForFault(ulong* cell)
    {
        if (Broken.Is(PlantedFault.ExitNotRelease)) Broken.PlainStore(cell, 0);
        return Broken.Is(PlantedFault.NoStoreFence) ? 0 : Shared.Load(cell);
    }

    [MethodImpl(Compiled)]
    private static ulong AskForNothing(ulong* cell) => Volatile.Read(ref *cell);
}
#endif
