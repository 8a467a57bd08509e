using System;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.GuestAccess;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.GuestAccess;

public sealed unsafe class GuestHoldTests
{
    private Arena _arena = null!;
    private Guest _guest = null!;
    private GuestConsumer _consumer = null!;

    [SetUp]
    public void SetUp()
    {
        _arena = new Arena(new ArenaOptions { Bytes = 8 << 20 });
        _guest = new Guest(_arena, GuestFormat.EptEmulated.Options());
        _consumer = _guest.AddConsumer();
        _guest.MapMemory(new Gpa(0), 2 << 20);
    }

    [TearDown]
    public void TearDown()
    {
        _consumer.Dispose();
        _guest.Dispose();
        ArenaBalance.AssertWhole(_arena);
        _arena.Dispose();
    }

    [TestCase(0x1000UL, 1UL)]
    [TestCase(0x1FFFUL, 2UL)]
    [TestCase(0x0123UL, 0x7000UL)]
    [TestCase(0x0000UL, 200UL << 12)]
    public void AHoldCrossesPagesAndShowsTheirBytes(ulong gpa, ulong length)
    {
        byte[] bytes = new byte[length];
        new SeededGenerator(length).Fill(bytes.AsSpan(0, Math.Min(bytes.Length, 5000)));
        _guest.Write(new Gpa(gpa), bytes);
        var spans = new GuestSpan[GuestHold.PagesOf(gpa, length)];
        Assert.That(_consumer.Hold(new Gpa(gpa), length, Prot.Read, spans, out int count),
            Is.EqualTo(FaultStatus.Resolved));
        int at = 0;
        for (int i = 0; i < count; i++)
        {
            Assert.That(spans[i].Bytes.SequenceEqual(bytes.AsSpan(at, (int)spans[i].Length)), "span " + i);
            at += (int)spans[i].Length;
        }
        Assert.That(at, Is.EqualTo(bytes.Length));
        Assert.That(_guest.Counters.Holds, Is.EqualTo((ulong)spans.Length));
        _consumer.Release(spans.AsSpan(0, count));
        Assert.That(_guest.Counters.Releases, Is.EqualTo((ulong)spans.Length));
    }

    [Test]
    public void AWriteHoldMarksItsPagesAtTheHoldAndAgainAtTheRelease()
    {
        var spans = new GuestSpan[2];
        ulong[] bitmap = new ulong[8];
        Assert.That(_guest.Hold(new Gpa(0x5FFF), 2, Prot.ReadWrite, spans, out int count),
            Is.EqualTo(FaultStatus.Resolved));
        Assert.That(_guest.HarvestModified(new Gpa(0), 2 << 20, bitmap), Is.EqualTo(2));
        Assert.That(bitmap[0], Is.EqualTo(0x60));
        spans[0].Bytes[0] = 1;
        Array.Clear(bitmap);
        _guest.Release(spans.AsSpan(0, count));
        Assert.That(_guest.HarvestModified(new Gpa(0), 2 << 20, bitmap), Is.EqualTo(2), "written after the harvest");
        Assert.That(_guest.HarvestModified(new Gpa(0), 2 << 20, bitmap), Is.Zero);
    }

    [Test]
    public void AReadHoldLeavesNoMark()
    {
        var spans = new GuestSpan[1];
        _guest.Hold(new Gpa(0x5000), 8, Prot.Read, spans, out int count);
        _guest.Release(spans.AsSpan(0, count));
        Assert.That(_guest.HarvestModified(new Gpa(0), 2 << 20, new ulong[8]), Is.Zero);
    }

    [Test]
    public void AHoldThatCannotBeWholeHoldsNothing()
    {
        _guest.MapMemory(new Gpa(2 << 20), 0x1000, Prot.Read);
        var spans = new GuestSpan[4];
        Gpa last = new((2 << 20) - 1);
        Assert.That(_guest.Hold(last, 2, Prot.ReadWrite, spans, out int count), Is.EqualTo(FaultStatus.Protection));
        Assert.That(count, Is.Zero);
        Assert.That(_guest.Hold(last, 0x1002, Prot.Read, spans, out count), Is.EqualTo(FaultStatus.NoMapping));
        Assert.That(count, Is.Zero);
        Gpa end = new(ulong.MaxValue);
        Assert.That(_guest.Hold(end, 1, Prot.Read, spans, out _), Is.EqualTo(FaultStatus.NoMapping));
        Assert.That(_guest.Counters.Holds, Is.EqualTo(_guest.Counters.Releases));
        for (uint pfn = 1; pfn < _arena.FrameCount; pfn++) Assert.That(_arena.Frames.Records[pfn].Hold, Is.Zero);
    }

    [Test]
    public void ADeviceHoldsNoMemory()
    {
        using var host = new GuardedRegion(0x1000, 0x1000);
        _guest.MapDevice(new Gpa(1 << 30), 0x1000, host.Base);
        Assert.That(_guest.Hold(new Gpa(1 << 30), 8, Prot.Read, new GuestSpan[1], out _),
            Is.EqualTo(FaultStatus.NoMapping));
    }

    [Test]
    public void AWriteThroughAHoldOutdatesDecodedCode()
    {
        _consumer.Fault(0x3000, Prot.Execute, out ulong hpa);
        uint pfn = (uint)(hpa >> 12);
        _arena.Frames.SetCode(pfn);
        uint version = _arena.Frames.CodeVersions[pfn];
        var spans = new GuestSpan[1];
        _consumer.Hold(new Gpa(0x3000), 8, Prot.Write, spans, out _);
        uint held = _arena.Frames.CodeVersions[pfn];
        Assert.That(held, Is.Not.EqualTo(version));
        _consumer.Release(spans);
        Assert.That(_arena.Frames.CodeVersions[pfn], Is.Not.EqualTo(held));
    }

    [Test]
    public void HoldsAllocateNothing()
    {
        var spans = new GuestSpan[16];
        var random = new SeededGenerator(9);
        long bytes = Allocations.Of(() =>
        {
            for (int i = 0; i < 100; i++)
            {
                Gpa gpa = new(random.Below(1UL << 20));
                _guest.Hold(gpa, 1 + random.Below(0xF000UL), Prot.ReadWrite, spans, out int count);
                _guest.Release(spans.AsSpan(0, count));
                _consumer.Hold(gpa, 8, Prot.Read, spans, out count);
                _consumer.Release(spans.AsSpan(0, count));
            }
        });
        Assert.That(bytes, Is.Zero);
    }
}
