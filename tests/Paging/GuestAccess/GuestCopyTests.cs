using System;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.GuestAccess;

public sealed unsafe class GuestCopyTests
{
    private Arena _arena = null!;
    private Guest _guest = null!;

    [SetUp]
    public void SetUp()
    {
        _arena = new Arena(new ArenaOptions { Bytes = 8 << 20 });
        _guest = new Guest(_arena, new GuestOptions());
    }

    [TearDown]
    public void TearDown()
    {
        _guest.Dispose();
        ArenaBalance.AssertWhole(_arena);
        _arena.Dispose();
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(0x1000)]
    [TestCase(0x100123)]
    public void WhatIsWrittenIsReadAcrossPagesAndEntries(int length)
    {
        _guest.MapMemory(new Gpa(0), 1 << 20);
        _guest.MapMemory(new Gpa(1 << 20), 1 << 20, Prot.ReadWrite);
        byte[] bytes = new byte[length];
        new SeededGenerator(1).Fill(bytes.AsSpan(0, Math.Min(length, 9000)));
        byte[] back = new byte[length];
        Assert.That(_guest.Write(new Gpa(0xFF), bytes), Is.EqualTo(FaultStatus.Resolved));
        Assert.That(_guest.Read(new Gpa(0xFF), back), Is.EqualTo(FaultStatus.Resolved));
        Assert.That(back.AsSpan().SequenceEqual(bytes));
    }

    [Test]
    public void ARangeThatIsNotAllowedThroughoutIsRefusedBeforeItsFirstByte()
    {
        _guest.MapMemory(new Gpa(0), 0x2000);
        _guest.MapRom(new Gpa(0x2000), [1]);
        Assert.That(_guest.Write(new Gpa(0x1FFE), [1, 1, 1]), Is.EqualTo(FaultStatus.Protection));
        Assert.That(_guest.Write(new Gpa(0x2FFF), [1, 1]), Is.EqualTo(FaultStatus.Protection));
        byte[] two = [9, 9];
        Assert.That(_guest.Read(new Gpa(0x2FFF), two), Is.EqualTo(FaultStatus.NoMapping));
        Assert.That(two, Is.EqualTo(new byte[] { 9, 9 }));
        Assert.That(_guest.Read(new Gpa(0x1FFE), two), Is.EqualTo(FaultStatus.Resolved));
        Assert.That(two, Is.EqualTo(new byte[] { 0, 0 }));
        Assert.That(_guest.Read(new Gpa(ulong.MaxValue), two), Is.EqualTo(FaultStatus.NoMapping));
    }

    [Test]
    public void AWriteMarksItsPages()
    {
        _guest.MapMemory(new Gpa(0), 0x8000);
        _guest.Write(new Gpa(0x2FFF), [1, 2]);
        ulong[] bitmap = new ulong[1];
        Assert.That(_guest.HarvestModified(new Gpa(0), 0x8000, bitmap), Is.EqualTo(2));
        Assert.That(bitmap[0], Is.EqualTo(0b1100));
    }

    [Test]
    public void ADeviceGetsAccessesAsWideAsTheirPlaceAllows()
    {
        var device = new Recorder();
        _guest.MapMemory(new Gpa(0), 0x1000);
        _guest.MapDevice(new Gpa(0x1000), 0x1000, device);
        Assert.That(_guest.Write(new Gpa(0xFFF), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]),
            Is.EqualTo(FaultStatus.Resolved));
        Assert.That(device.Log, Is.EqualTo("w8@0=908070605040302 w2@8=b0a w1@a=c "));
        byte[] bytes = new byte[7];
        Assert.That(_guest.Read(new Gpa(0x1001), bytes), Is.EqualTo(FaultStatus.Resolved));
        Assert.That(bytes, Is.EqualTo(new byte[] { 1, 2, 3, 4, 5, 6, 7 }));
        Assert.That(device.Log, Does.EndWith("r1@1 r2@2 r4@4 "));
    }

    [Test]
    public void CopiesAllocateNothing()
    {
        _guest.MapMemory(new Gpa(0), 2 << 20);
        byte[] bytes = new byte[50_000];
        var random = new SeededGenerator(4);
        long allocated = Allocations.Of(() =>
        {
            for (int i = 0; i < 50; i++)
            {
                Gpa gpa = new(random.Below(1UL << 20));
                _guest.Write(gpa, bytes.AsSpan(0, random.Below(50_000)));
                _guest.Read(gpa, bytes.AsSpan(0, random.Below(50_000)));
                _guest.TryTranslate(gpa, Prot.Read, out _);
            }
        });
        Assert.That(allocated, Is.Zero);
    }

    private sealed class Recorder : IDeviceMemory
    {
        public string Log { get; private set; } = "";

        public ulong Read(ulong offset, int size)
        {
            Log += "r" + size + "@" + offset.ToString("x", null) + " ";
            ulong value = 0;
            for (int i = size - 1; i >= 0; i--) value = value << 8 | (offset + (ulong)i) & 0xFF;
            return value;
        }

        public void Write(ulong offset, int size, ulong value) =>
            Log += "w" + size + "@" + offset.ToString("x", null) + "=" + value.ToString("x", null) + " ";
    }
}
