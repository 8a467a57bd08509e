using System;
using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.GuestAccess;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Faults;

/// <summary>Memory that runs out at the n-th frame, for every n until nothing runs out.</summary>
public sealed unsafe class FaultRunTests
{
    private const int FramesMax = 200;

    [TestCaseSource(typeof(GuestFormats), nameof(GuestFormats.All))]
    public void ExhaustionAtAnyFrameLeavesEverythingConsistent(GuestFormat format)
    {
        int shortages = 0;
        for (int frames = 0; ; frames++)
        {
            Assert.That(frames, Is.LessThan(FramesMax), "the scenario never has enough");
            using var arena = new Arena(new ArenaOptions { Bytes = 8 << 20 });
            if (Run(arena, format, frames)) break;
            shortages++;
            ArenaBalance.AssertWhole(arena, "after " + frames + " frames");
        }
        Assert.That(shortages, Is.GreaterThan(10));
    }

    /// <summary>True when nothing ran out.</summary>
    private static bool Run(Arena arena, GuestFormat format, int frames)
    {
        var pager = new ProbePager();
        using var store = new VmObject(arena, 64 << 12, pager);
        using var guest = new Guest(arena, format.Options());
        using GuestConsumer consumer = guest.AddConsumer();
        guest.MapMemory(new Gpa(0), 1UL << 32);
        guest.MapObject(new Gpa(1UL << 32), store, 0, 64 << 12);
        arena.Allocator.TestHookFailAfter = frames;

        bool isShort = false;
        ulong[] gpa =
        [
            0, 0x1000, 0x20_0000, 0x4000_0000, 1UL << 32, (1UL << 32) + 0x1000, 0x1800, (1UL << 32) + 0x3F000,
            0x8000_0000, 0x8020_0000, 0x8020_1000,
        ];
        var access = new Prot[gpa.Length];
        Array.Fill(access, Prot.Write);
        ulong[] hpa = new ulong[gpa.Length];
        var status = new FaultStatus[gpa.Length];
        consumer.Fault(new FaultBatch(gpa, access, hpa, status));
        foreach (FaultStatus end in status) isShort |= Check(end);
        var spans = new GuestSpan[4];
        FaultStatus held = guest.Hold(new Gpa(0x1F_FFFF), 0x1002, Prot.ReadWrite, spans, out int count);
        isShort |= Check(held);
        isShort |= Check(guest.Write(new Gpa((1UL << 32) + 0x1FFF), new byte[0x2002]));
        guest.Pmap.CheckConsistency();

        arena.Allocator.TestHookFailAfter = -1;
        Assert.That(consumer.Fault(new FaultBatch(gpa, access, hpa, status)), Is.EqualTo(gpa.Length));
        byte[] one = new byte[1];
        guest.Read(new Gpa((1UL << 32) + 0x3F123), one);
        Assert.That(one[0], Is.EqualTo(ProbePager.ByteOf(63)));
        guest.Pmap.CheckConsistency();
        guest.Release(spans.AsSpan(0, count));
        return !isShort;
    }

    private static bool Check(FaultStatus status)
    {
        Assert.That(status, Is.AnyOf(FaultStatus.Resolved, FaultStatus.Spurious, FaultStatus.OutOfMemory));
        return status == FaultStatus.OutOfMemory;
    }
}
