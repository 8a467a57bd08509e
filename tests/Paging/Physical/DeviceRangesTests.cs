using System;
using System.Collections.Generic;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Physical;

public sealed unsafe class DeviceRangesTests
{
    private const ulong Base = 1UL << 31;
    private const ulong End = Base + 64 * Paging.WindowBytes;

    [Test]
    public void ARangeIsFoundFromItsFirstToItsLastByte()
    {
        var ranges = new DeviceRanges(Base, End);
        var device = new RecordingDevice(0);
        ulong hpa = ranges.Add(3 * Paging.PageBytes, device);
        Assert.That(hpa, Is.EqualTo(Base));
        Assert.That(ranges.TryFind(hpa + 3 * Paging.PageBytes - 1, out DeviceRange range), Is.True);
        Assert.That(range.Device, Is.SameAs(device));
        Assert.That(range.Length, Is.EqualTo(3 * Paging.PageBytes));
        Assert.That(ranges.TryFind(hpa + 3 * Paging.PageBytes, out _), Is.False);
        Assert.That(ranges.TryFind(hpa - 1, out _), Is.False);
    }

    [Test]
    public void LongRangesAreAlignedForSuperpages()
    {
        var ranges = new DeviceRanges(Base, End);
        ranges.Add(Paging.PageBytes, new RecordingDevice(0));
        Assert.That(ranges.Add(Paging.WindowBytes, new RecordingDevice(0)) & Paging.WindowOffsetMask, Is.Zero);
    }

    [Test]
    public void AddressesOfARemovedRangeAreNotSoonAnothers()
    {
        var ranges = new DeviceRanges(Base, End);
        ulong first = ranges.Add(Paging.PageBytes, new RecordingDevice(0));
        ranges.Remove(first);
        Assert.That(ranges.TryFind(first, out _), Is.False);
        Assert.That(ranges.Add(Paging.PageBytes, new RecordingDevice(0)), Is.Not.EqualTo(first));
    }

    [TestCase(0UL)]
    [TestCase(4097UL)]
    public void LengthsThatAreNoPagesAreRefused(ulong length)
    {
        var ranges = new DeviceRanges(Base, End);
        Assert.That(() => ranges.Add(length, new RecordingDevice(0)),
            Throws.ArgumentException.With.Message.Contains("multiple of 4096"));
    }

    [Test]
    public void NothingBehindARangeIsRefused()
    {
        var ranges = new DeviceRanges(Base, End);
        Assert.That(() => ranges.Add(Paging.PageBytes, (IDeviceMemory)null!), Throws.ArgumentNullException);
        Assert.That(() => ranges.Add(Paging.PageBytes, (byte*)null), Throws.ArgumentNullException);
    }

    [Test]
    public void RemovingWhatIsNotThereNamesTheAddress()
    {
        var ranges = new DeviceRanges(Base, End);
        ulong hpa = ranges.Add(2 * Paging.PageBytes, new RecordingDevice(0));
        Assert.That(() => ranges.Remove(hpa + Paging.PageBytes),
            Throws.ArgumentException.With.Message.Contains("HPA 0x80001000"));
    }

    [Test]
    public void AFullSpaceSaysWhatToDo()
    {
        var ranges = new DeviceRanges(Base, Base + 2 * Paging.PageBytes);
        ranges.Add(2 * Paging.PageBytes, new RecordingDevice(0));
        Assert.That(() => ranges.Add(Paging.PageBytes, new RecordingDevice(0)),
            Throws.InvalidOperationException.With.Message.Contains("PhysBits"));
    }

    [Test]
    public void AgreesWithAListWhileTheSpaceFillsAndEmpties()
    {
        var random = new SeededGenerator(0xDE71CE);
        var ranges = new DeviceRanges(Base, Base + 4 * Paging.WindowBytes);
        var model = new List<(ulong Hpa, ulong Length)>();
        int full = 0;
        for (int step = 0; step < 4_000; step++)
        {
            if (random.Below(100) < 55)
            {
                ulong length = random.OneIn(20) ? Paging.WindowBytes : (ulong)random.Between(1, 40) * Paging.PageBytes;
                full += TryAdd(ranges, model, length, random) ? 0 : 1;
            }
            else if (model.Count > 0)
            {
                int at = random.Below(model.Count);
                ranges.Remove(model[at].Hpa);
                model.RemoveAt(at);
            }
            ulong probe = Base + random.Below(4 * Paging.WindowBytes);
            bool expected = model.Exists(range => probe - range.Hpa < range.Length);
            Assert.That(ranges.TryFind(probe, out _), Is.EqualTo(expected), random.ToString());
            Assert.That(ranges.Count, Is.EqualTo(model.Count), random.ToString());
        }
        Assert.That(full, Is.GreaterThan(0));
    }

    private static bool TryAdd(
        DeviceRanges ranges, List<(ulong Hpa, ulong Length)> model, ulong length, SeededGenerator random)
    {
        try
        {
            ulong hpa = ranges.Add(length, new RecordingDevice(0));
            bool overlaps = model.Exists(range => hpa < range.Hpa + range.Length && range.Hpa < hpa + length);
            Assert.That(overlaps, Is.False, random.ToString());
            model.Add((hpa, length));
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }
}
