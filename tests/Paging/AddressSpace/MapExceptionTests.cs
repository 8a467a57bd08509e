using NUnit.Framework;
using Pagoda.AddressSpace;

namespace Pagoda.Tests.AddressSpace;

public sealed class MapExceptionTests
{
    [TestCase(0x1000UL, 0UL, MapError.ZeroLength)]
    [TestCase(0x1000UL, 0x1001UL, MapError.Unaligned)]
    [TestCase(0x1001UL, 0x1000UL, MapError.Unaligned)]
    [TestCase(0xFFFF_FFFF_FFFF_F000UL, 0x2000UL, MapError.Overflow)]
    [TestCase(0x3FFF_FFFF_F000UL, 0x2000UL, MapError.BeyondAddressWidth)]
    [TestCase(0x4000_0000_0000UL, 0x1000UL, MapError.BeyondAddressWidth)]
    public void WhatIsNoRangeIsRefusedByName(ulong gpa, ulong length, MapError error)
    {
        Assert.That(() => MapException.RequireRange("Thing", gpa, length, 46), Throws.TypeOf<MapException>()
            .With.Property(nameof(MapException.Error)).EqualTo(error)
            .And.Property(nameof(MapException.Address)).EqualTo(gpa)
            .And.Property(nameof(MapException.Length)).EqualTo(length)
            .And.Message.StartWith("Thing").And.Message.Contain("0x" + gpa.ToString("x", null)));
    }

    [Test]
    public void TheLastPageBelowTheWidthIsARange() =>
        Assert.That(() => MapException.RequireRange("Thing", 0x3FFF_FFFF_F000, 0x1000, 46), Throws.Nothing);

    [Test]
    public void TheWholeAddressSpaceOfTheTablesIsARange() =>
        Assert.That(() => MapException.RequireRange("Thing", 0, 1UL << 46, 46), Throws.Nothing);
}
