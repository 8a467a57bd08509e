using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.Tests.Physical;

public sealed unsafe class FrameTableTests
{
    [Test]
    public void AFrameCostsAtMostThirtyTwoBytes() => Assert.That(FrameTable.BytesPerFrame, Is.LessThanOrEqualTo(32));

    [Test]
    public void RecordsLieSixteenBytesApartAndStartFree()
    {
        using var frames = new FrameTable(10);
        Assert.That((ulong)frames.Record(3) - (ulong)frames.Records, Is.EqualTo(48));
        Assert.That(frames.StateOf(9), Is.EqualTo(FrameState.Free));
    }

#if DEBUG
    [TestCase(0U)]
    [TestCase(10U)]
    public void FrameZeroAndFramesPastTheEndHaveNoRecord(uint pfn)
    {
        using var frames = new FrameTable(10);
        Assert.That(() => frames.StateOf(pfn), Throws.TypeOf<InvariantException>());
    }
#endif
}
