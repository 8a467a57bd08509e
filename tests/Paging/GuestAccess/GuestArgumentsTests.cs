using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.GuestAccess;

namespace Pagoda.Tests.GuestAccess;

public sealed class GuestArgumentsTests
{
    [Test]
    public void AHoldNeedsABytesAndASpanForEachPage()
    {
        Assert.That(() => GuestArguments.RequireSpans(0x1000, 0, 9), Throws.ArgumentException);
        Assert.That(() => GuestArguments.RequireSpans(0x1FFF, 2, 1),
            Throws.ArgumentException.With.Message.Contain("0x1fff").And.Message.Contain("2 spans"));
        Assert.That(() => GuestArguments.RequireSpans(0x1FFF, 2, 2), Throws.Nothing);
        Assert.That(() => GuestArguments.RequireSpans(0x1000, 0x1000, 1), Throws.Nothing);
    }

    [TestCase(1, 2, 1)]
    [TestCase(1, 1, 2)]
    public void ColumnsHaveEqualLengths(int gpa, int pointer, int status) =>
        Assert.That(() => GuestArguments.RequireColumns(gpa, pointer, status), Throws.ArgumentException);

    [TestCase(0UL, 0UL, MapError.ZeroLength)]
    [TestCase(1UL, 0x1000UL, MapError.Unaligned)]
    [TestCase(0x3FFF_FFFF_F000UL, 0x2000UL, MapError.BeyondAddressWidth)]
    public void AHarvestNeedsARange(ulong gpa, ulong length, MapError error) => Assert.That(
        () => GuestArguments.RequireBitmap(gpa, length, 100, 46),
        Throws.TypeOf<MapException>().With.Property(nameof(MapException.Error)).EqualTo(error));

    [Test]
    public void ABitmapHasABitForEveryPage()
    {
        Assert.That(() => GuestArguments.RequireBitmap(0, 65 << 12, 1, 46), Throws.ArgumentException);
        Assert.That(() => GuestArguments.RequireBitmap(0, 64 << 12, 1, 46), Throws.Nothing);
    }
}
