using System;
using System.Buffers.Binary;
using System.Text;
using NUnit.Framework;
using Pagoda.Machine.Boot;

namespace Pagoda.Tests.Machine.Boot;

public sealed class AcpiTablesTests
{
    [TestCase(1)]
    [TestCase(2)]
    [TestCase(64)]
    public void TheRootLeadsToAProcessorEachByBothRoots(int processors)
    {
        byte[] image = AcpiTables.Make(processors);
        ReadOnlySpan<byte> root = image.AsSpan(0, AcpiTables.RootPointerBytes);
        Assert.That(Encoding.ASCII.GetString(root[..8]), Is.EqualTo("RSD PTR "));
        Assert.That(Sum(root[..20]), Is.Zero);
        Assert.That(Sum(root), Is.Zero);
        Assert.That(root[15], Is.EqualTo(2));

        ReadOnlySpan<byte> rsdt = Table(image, BinaryPrimitives.ReadUInt32LittleEndian(root[16..]), "RSDT");
        ReadOnlySpan<byte> xsdt = Table(image, BinaryPrimitives.ReadUInt64LittleEndian(root[24..]), "XSDT");
        uint first = BinaryPrimitives.ReadUInt32LittleEndian(rsdt[AcpiTables.HeaderBytes..]);
        Assert.That(BinaryPrimitives.ReadUInt64LittleEndian(xsdt[AcpiTables.HeaderBytes..]), Is.EqualTo((ulong)first));

        ReadOnlySpan<byte> madt = Table(image, first, "APIC");
        Assert.That(BinaryPrimitives.ReadUInt32LittleEndian(madt[AcpiTables.HeaderBytes..]), Is.EqualTo(0xFEE0_0000));
        ReadOnlySpan<byte> entries = madt[AcpiTables.MadtFixedBytes..];
        for (int i = 0; i < processors; i++)
        {
            ReadOnlySpan<byte> entry = entries.Slice(i * AcpiTables.ProcessorBytes, AcpiTables.ProcessorBytes);
            Assert.That(entry.ToArray(), Is.EqualTo(new byte[] { 0, 8, (byte)i, (byte)i, 1, 0, 0, 0 }));
        }
        Assert.That(entries.Length, Is.EqualTo(processors * AcpiTables.ProcessorBytes));
    }

    [Test]
    public void TheRootLiesOnAStepOf16InTheRangeThatGuestsSearch() =>
        Assert.That(AcpiTables.Gpa, Is.InRange(0xE0000u, 0xFFFFFu).And.Matches<uint>(gpa => gpa % 16 == 0));

    private static ReadOnlySpan<byte> Table(byte[] image, ulong gpa, string signature)
    {
        ReadOnlySpan<byte> rest = image.AsSpan((int)(gpa - AcpiTables.Gpa));
        ReadOnlySpan<byte> table = rest[..(int)BinaryPrimitives.ReadUInt32LittleEndian(rest[4..])];
        Assert.That(Encoding.ASCII.GetString(table[..4]), Is.EqualTo(signature));
        Assert.That(Sum(table), Is.Zero, signature);
        return table;
    }

    private static byte Sum(ReadOnlySpan<byte> bytes)
    {
        byte sum = 0;
        foreach (byte value in bytes) sum += value;
        return sum;
    }
}
