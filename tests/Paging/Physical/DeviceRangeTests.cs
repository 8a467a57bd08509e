using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.Tests.Physical;

public sealed unsafe class DeviceRangeTests
{
    private const ulong Base = 1UL << 45;

    [Test]
    public void ACallbackGetsTheOffsetInItsRange()
    {
        var device = new RecordingDevice(0x1122);
        var range = new DeviceRange(Base, Paging.PageBytes, device, null);
        Assert.That(range.Read(Base + 0x10, 4), Is.EqualTo(0x1122));
        Assert.That(device.Last, Is.EqualTo(('R', 0x10UL, 4, 0x1122UL)));
        range.Write(Base + 0xFF8, 8, 0x55);
        Assert.That(device.Last, Is.EqualTo(('W', 0xFF8UL, 8, 0x55UL)));
    }

    [TestCase(1, 0x88UL)]
    [TestCase(2, 0x7788UL)]
    [TestCase(4, 0x5566_7788UL)]
    [TestCase(8, 0x1122_3344_5566_7788UL)]
    public void HostMemoryIsReadAndWrittenInTheAccessSize(int size, ulong low)
    {
        using NativeRegion memory = NativeRegion.Map((nuint)Paging.PageBytes);
        var range = new DeviceRange(Base, Paging.PageBytes, null, memory.Base);
        range.Write(Base + 0x40, size, 0x1122_3344_5566_7788);
        Assert.That(*(ulong*)(memory.Base + 0x40), Is.EqualTo(low));
        Assert.That(range.Read(Base + 0x40, size), Is.EqualTo(low));
    }

    [TestCase(Base - 1, 1)]
    [TestCase(Base + Paging.PageBytes, 1)]
    [TestCase(Base + Paging.PageBytes - 4, 8)]
    public void AnAccessThatLeavesTheRangeIsADefect(ulong hpa, int size)
    {
        var range = new DeviceRange(Base, Paging.PageBytes, new RecordingDevice(0), null);
        Assert.That(() => range.Read(hpa, size), Throws.TypeOf<InvariantException>());
        Assert.That(() => range.Write(hpa, size, 0), Throws.TypeOf<InvariantException>());
    }

    [Test]
    public void ASizeThatNoProcessorHasIsADefect()
    {
        using NativeRegion memory = NativeRegion.Map((nuint)Paging.PageBytes);
        var range = new DeviceRange(Base, Paging.PageBytes, null, memory.Base);
        Assert.That(() => range.Read(Base, 3), Throws.TypeOf<InvariantException>());
        Assert.That(() => range.Write(Base, 16, 0), Throws.TypeOf<InvariantException>());
    }
}
