using System;
using System.Threading;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.GuestAccess;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests;

public sealed class GuestAccessTests
{
    [Test]
    public void ManyThreadsUseOneGuestAtOnce()
    {
        const int Threads = 12;
        using var arena = new Arena(new ArenaOptions { Bytes = 8 << 20 });
        using var guest = new Guest(arena, new GuestOptions());
        guest.MapMemory(new Gpa(0), 4 << 20);
        var threads = new Thread[Threads];
        int wrong = 0;
        for (int i = 0; i < Threads; i++)
        {
            int own = i;
            threads[i] = new Thread(() =>
            {
                byte[] bytes = new byte[3000];
                for (int round = 0; round < 20; round++)
                {
                    Gpa gpa = new((ulong)(own * 0x20000 + round * 0xF31));
                    Array.Fill(bytes, (byte)(own + round));
                    bool done = guest.Write(gpa, bytes) == FaultStatus.Resolved;
                    Array.Clear(bytes);
                    done &= guest.Read(gpa, bytes) == FaultStatus.Resolved;
                    if (!done || Array.TrueForAll(bytes, value => value == own + round) == false)
                    {
                        Interlocked.Increment(ref wrong);
                    }
                }
            });
            threads[i].Start();
        }
        foreach (Thread thread in threads) thread.Join();
        Assert.That(wrong, Is.Zero);
        guest.Pmap.CheckConsistency();
    }

    [Test]
    public void WrongArgumentsAreRefusedBeforeAnythingHappens()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 1 << 20 });
        using var guest = new Guest(arena, new GuestOptions());
        guest.MapMemory(new Gpa(0), 0x10000);
        Assert.That(() => guest.Hold(new Gpa(0), 0, Prot.Read, new GuestSpan[1], out _), Throws.ArgumentException);
        Assert.That(() => guest.Hold(new Gpa(0), 0x2000, Prot.Read, new GuestSpan[1], out _), Throws.ArgumentException);
        Assert.That(() => guest.HoldBatch(new ulong[1], Prot.Read, new nint[2], new FaultStatus[1]),
            Throws.ArgumentException);
        Assert.That(() => guest.HarvestModified(new Gpa(0), 65 << 12, new ulong[1]), Throws.ArgumentException);
        Assert.That(guest.Counters.ResidentPages, Is.Zero);
    }

    [Test]
    public void WhatAPagerThrowsReachesTheCallerAndKeepsNothing()
    {
        const int Calls = 10;       // more than there are walkers
        using var arena = new Arena(new ArenaOptions { Bytes = 1 << 20 });
        var guest = new Guest(arena, new GuestOptions());
        var pager = new ProbePager { Throws = true };
        guest.MapMemory(new Gpa(0x1000), 0x1000);
        guest.MapRom(new Gpa(0x2000), 0x2000, pager);
        guest.Read(new Gpa(0x1000), new byte[1]);
        nint[] pointers = new nint[2];
        int threw = 0;
        var caller = new Thread(() =>
        {
            for (int i = 0; i < Calls; i++)
            {
                threw += Thrown(() => guest.Read(new Gpa(0x2000), new byte[8]));
                threw += Thrown(() => guest.Hold(new Gpa(0x1000), 0x2000, Prot.Read, new GuestSpan[2], out _));
                threw += Thrown(() => guest.HoldBatch([0x1000, 0x2000], Prot.Read, pointers, new FaultStatus[2]));
                threw += Thrown(() => guest.Advise(new Gpa(0x2000), 0x1000, Advice.Populate));
            }
        }) { IsBackground = true };
        caller.Start();
        Assert.That(caller.Join(TimeSpan.FromSeconds(20)), Is.True, "walkers are given back");
        Assert.That(threw, Is.EqualTo(4 * Calls));
        Assert.That(pointers, Is.EqualTo(new nint[2]));
        pager.Throws = false;
        byte[] bytes = new byte[1];
        Assert.That(guest.Read(new Gpa(0x3000), bytes), Is.EqualTo(FaultStatus.Resolved));
        Assert.That(bytes[0], Is.EqualTo(ProbePager.ByteOf(1)));
        guest.Dispose();
        ArenaBalance.AssertWhole(arena);
    }

    private static int Thrown(Action action)
    {
        try
        {
            action();
            return 0;
        }
        catch (InvalidOperationException)
        {
            return 1;
        }
    }
}
