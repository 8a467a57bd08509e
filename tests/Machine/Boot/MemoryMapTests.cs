using System;
using NUnit.Framework;
using Pagoda.Machine;
using Pagoda.Machine.Boot;

namespace Pagoda.Tests.Machine.Boot;

public sealed class MemoryMapTests
{
    private const ulong Mebibyte = 1UL << 20;
    private const ulong Gibibyte = 1UL << 30;

    [TestCase(2 * Mebibyte, 2 * Mebibyte, 0UL)]
    [TestCase(64 * Mebibyte, 64 * Mebibyte, 0UL)]
    [TestCase(3 * Gibibyte, 3 * Gibibyte, 0UL)]
    [TestCase(3 * Gibibyte + 4096, 3 * Gibibyte, 4 * Gibibyte + 4096)]
    [TestCase(64 * Gibibyte, 3 * Gibibyte, 65 * Gibibyte)]
    public void MemoryEndsWhereItShould(ulong bytes, ulong lowEnd, ulong highEnd)
    {
        var map = new MemoryMap(bytes, 46);
        Assert.That(map.LowEnd, Is.EqualTo(lowEnd));
        Assert.That(map.HighEnd, Is.EqualTo(highEnd));
    }

    [Test]
    public void TheGuestIsToldOfThePcRanges()
    {
        Assert.That(Describe(new MemoryMap(64 * Mebibyte, 46)), Is.EqualTo(
            "0+9fc00 Memory, 9fc00+400 Reserved, f0000+10000 Reserved, 100000+3f00000 Memory"));
        Assert.That(Describe(new MemoryMap(4 * Gibibyte, 46)), Does.EndWith("Memory, 100000000+40000000 Memory"));
    }

    [Test]
    public void EntriesAscendAndNeverOverlap()
    {
        ReadOnlySpan<E820Entry> entries = new MemoryMap(5 * Gibibyte, 46).Entries;
        ulong end = 0;
        foreach (E820Entry entry in entries)
        {
            Assert.That(entry.Address, Is.GreaterThanOrEqualTo(end));
            Assert.That(entry.Length, Is.GreaterThan(0UL));
            end = entry.Address + entry.Length;
        }
    }

    [TestCase(0UL, "too few")]
    [TestCase(Mebibyte, "too few")]
    [TestCase(2 * Mebibyte + 1, "whole number of pages")]
    [TestCase(ulong.MaxValue - 4095, "46 address bits")]
    [TestCase((1UL << 46) - Gibibyte + 4096, "46 address bits")]
    public void BadSizesAreRefusedWithTheReason(ulong bytes, string reason) =>
        Assert.That(() => new MemoryMap(bytes, 46),
            Throws.TypeOf<MachineException>().With.Message.Contains(reason));

    private static string Describe(MemoryMap map)
    {
        var parts = new System.Collections.Generic.List<string>();
        foreach (E820Entry entry in map.Entries)
        {
            parts.Add(FormattableString.Invariant($"{entry.Address:x}+{entry.Length:x} {entry.Type}"));
        }
        return string.Join(", ", parts);
    }
}
