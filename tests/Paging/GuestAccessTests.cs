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
}
