using System;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Diagnostics;
using Pagoda.GuestAccess;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.AddressSpace;

public sealed unsafe class GuestStatisticsTests
{
    [Test]
    public void TheSnapshotTellsWhatHappened()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 4 << 20 });
        using var guest = new Guest(arena, new GuestOptions());
        using var vcpu = new TestVcpu(guest);
        guest.MapMemory(new Gpa(0), 1 << 20);
        guest.MapRom(new Gpa(1 << 20), [1, 2, 3]);
        vcpu.Write(0, 1);
        vcpu.Read(1 << 20);
        vcpu.TryAccess(1UL << 40, Prot.Read, out _);
        vcpu.TryAccess(1 << 20, Prot.Write, out _);
        var spans = new GuestSpan[2];
        guest.Hold(new Gpa(0xFFF), 2, Prot.Read, spans, out int count);
        guest.Release(spans.AsSpan(0, count));
        guest.Unmap(new Gpa(0), 0x1000);
        GuestCounters counters = guest.Counters;
        Assert.That(counters.NestedFaults, Is.EqualTo(3));
        Assert.That(counters.UnmappedFaults, Is.EqualTo(1));
        Assert.That(counters.FailedFaults, Is.EqualTo(1));
        Assert.That(counters.PagerReads, Is.EqualTo(1));
        Assert.That(counters.ZeroFills, Is.EqualTo(2));
        Assert.That(counters.Holds, Is.EqualTo(2));
        Assert.That(counters.Releases, Is.EqualTo(2));
        Assert.That(counters.Invalidations, Is.EqualTo(1));
        Assert.That(counters.ResidentPages, Is.EqualTo(2));
        Assert.That(counters.WiredPages, Is.Zero);
        Assert.That(counters.TablePages, Is.EqualTo(4));
        Assert.That(counters.SpuriousFaults, Is.Zero);
    }
}
