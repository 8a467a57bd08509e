using System;
using System.Threading;
using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.AddressSpace;

public sealed unsafe class VmspaceUnmapTests
{
    private Arena _arena = null!;
    private Guest _guest = null!;

    [SetUp]
    public void SetUp()
    {
        _arena = new Arena(new ArenaOptions { Bytes = 4 << 20 });
        _guest = new Guest(_arena, new GuestOptions());
    }

    [TearDown]
    public void TearDown()
    {
        _guest.Dispose();
        ArenaBalance.AssertWhole(_arena);
        _arena.Dispose();
    }

    [Test]
    public void AHoleIsNothingToUnmap()
    {
        _guest.MapMemory(new Gpa(0x10000), 0x1000);
        Assert.That(() => _guest.Unmap(new Gpa(0), 0x10000),
            Throws.TypeOf<MapException>().With.Property(nameof(MapException.Error)).EqualTo(MapError.NotMapped));
        Assert.That(() => _guest.Unmap(new Gpa(0), 0x11000), Throws.Nothing);
    }

    [Test]
    public void ConsumersAreToldAndTheTablesGo()
    {
        _guest.MapMemory(new Gpa(0), 1 << 20);
        _guest.MapMemory(new Gpa(1UL << 39), 1 << 20);
        using GuestConsumer consumer = _guest.AddConsumer();
        consumer.Fault(0x3000, Prot.Write, out _);
        consumer.Fault(1UL << 39, Prot.Write, out _);
        Assert.That(_guest.Counters.TablePages, Is.EqualTo(7));
        Assert.That(consumer.Enter(out bool flush), Is.True);
        if (flush) consumer.Acknowledge();
        consumer.Exit();
        _guest.Unmap(new Gpa(0), 1 << 20);
        Assert.That(consumer.Enter(out flush), Is.True);
        Assert.That(flush, Is.True, "a translation was taken back");
        consumer.Acknowledge();
        consumer.Exit();
        Assert.That(_guest.Counters.TablePages, Is.EqualTo(4));
        Assert.That(consumer.Fault(0x3000, Prot.Read, out _), Is.EqualTo(FaultStatus.NoMapping));
        Assert.That(consumer.Fault(1UL << 39, Prot.Read, out _), Is.EqualTo(FaultStatus.Spurious));
    }

    [Test]
    public void ADeviceRangeGoesWithItsLastMapping()
    {
        int before = _arena.Devices.Count;
        _guest.MapDevice(new Gpa(0), 0x4000, new Ones());
        using GuestConsumer consumer = _guest.AddConsumer();
        Assert.That(consumer.Fault(0x1000, Prot.Read, out ulong hpa), Is.EqualTo(FaultStatus.Resolved));
        Assert.That(_arena.Devices.TryFind(hpa, out _), Is.True);
        _guest.Unmap(new Gpa(0x1000), 0x1000);
        Assert.That(_arena.Devices.Count, Is.EqualTo(before + 1), "the rest of it is still mapped");
        _guest.Unmap(new Gpa(0), 0x4000);
        Assert.That(_arena.Devices.Count, Is.EqualTo(before));
    }

    private sealed class Ones : IDeviceMemory
    {
        public ulong Read(ulong offset, int size) => ulong.MaxValue;

        public void Write(ulong offset, int size, ulong value)
        {
        }
    }

    [TestCase(false)]
    [TestCase(true)]
    public void WhatAPagerThrowsReachesTheCallerBehindTheLastPage(bool ends)
    {
        var pager = new MemoryPager();
        pager.BadDiscards.Add(1);
        for (ulong i = 0; i < 3; i++)
        {
            using var memory = new VmObject(_arena, 0x8000, pager);
            _guest.MapObject(new Gpa(i << 20), memory, 0, 0x8000);
            for (ulong page = 0; page < 8; page++) _guest.Write(new Gpa((i << 20) + (page << 12)), [1]);
        }
        if (ends) Assert.That(_guest.Dispose, Throws.InvalidOperationException);
        else Assert.That(() => _guest.Unmap(new Gpa(0), 4 << 20), Throws.InvalidOperationException);
        var other = new Thread(() => _ = _guest.Counters) { IsBackground = true };
        other.Start();
        Assert.That(other.Join(TimeSpan.FromSeconds(20)), Is.True, "the lock is not given back");
        Assert.That(_guest.Counters.ResidentPages, Is.Zero);
        if (!ends) _guest.MapMemory(new Gpa(0), 0x8000);
    }
}
