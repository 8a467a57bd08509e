using System;
using System.Runtime.CompilerServices;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.Pagers;
using Pagoda.PageTables;
using Pagoda.Physical;

namespace Pagoda.Tests.Gates;

/// <summary>Sizes and offsets that memory layouts, other agents or costs depend on.</summary>
public sealed unsafe class LayoutTests
{
    private const int BytesPerFrameMax = 32;

    [Test]
    public void AFrameRecordIsAQuarterOfACacheLine()
    {
        FrameRecord record;
        byte* start = (byte*)&record;
        Assert.That(sizeof(FrameRecord), Is.EqualTo(16));
        Assert.That((int)((byte*)&record.Word - start), Is.Zero);
        Assert.That((int)((byte*)&record.Hold - start), Is.EqualTo(4));
        Assert.That((int)((byte*)&record.Owner - start), Is.EqualTo(8));
        Assert.That((int)((byte*)&record.Index - start), Is.EqualTo(12));
    }

    [Test]
    public void AFramesBookkeepingIsAtMostThirtyTwoBytes() =>
        Assert.That(FrameTable.BytesPerFrame, Is.LessThanOrEqualTo(BytesPerFrameMax));

    [Test]
    public void FrameStatesFitTheirBits() =>
        Assert.That(Enum.GetValues<FrameState>(), Is.All.Matches((FrameState s) => (uint)s <= FrameRecord.StateMask));

    [TestCase(typeof(FrameState))]
    [TestCase(typeof(PmapStatus))]
    [TestCase(typeof(WalkOutcome))]
    [TestCase(typeof(TableKind))]
    [TestCase(typeof(FaultStatus))]
    [TestCase(typeof(PagerStatus))]
    [TestCase(typeof(Prot))]
    public void StatusesAreBytes(Type status) =>
        Assert.That(Enum.GetUnderlyingType(status), Is.EqualTo(typeof(byte)));

    [Test]
    public void ZeroIsSuccess()
    {
        Assert.That(default(PmapStatus), Is.EqualTo(PmapStatus.Ok));
        Assert.That(default(WalkOutcome), Is.EqualTo(WalkOutcome.Ok));
        Assert.That(default(FaultStatus), Is.EqualTo(FaultStatus.Resolved));
    }

    [Test]
    public void AWalkResultStaysOnTheStackInTwoAndAHalfLines() =>
        Assert.That(Unsafe.SizeOf<WalkResult>(), Is.LessThanOrEqualTo(160));
}
