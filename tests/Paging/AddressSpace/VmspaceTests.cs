using System;
using System.Threading;
using System.Threading.Tasks;
using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.PageTables;
using Pagoda.Physical;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.AddressSpace;

public sealed class VmspaceTests
{
    [Test]
    public void AddressesEndAtTheTablesOrTheProcessorsWidth()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 1 << 20, PhysBits = 46 });
        using var four = new Vmspace(arena, new PmapOptions(), 1);
        Assert.That(four.AddressBits, Is.EqualTo(46));
        using var wideArena = new Arena(new ArenaOptions { Bytes = 1 << 20, PhysBits = 52 });
        using var wide = new Vmspace(wideArena, new PmapOptions(), 1);
        Assert.That(wide.AddressBits, Is.EqualTo(48));
        using var five = new Vmspace(wideArena, new PmapOptions { Levels = 5 }, 1);
        Assert.That(five.AddressBits, Is.EqualTo(52));
    }

    [Test]
    public void ConsumersComeAndGo()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 1 << 20 });
        using (var space = new Vmspace(arena, new PmapOptions(), 2))
        {
            VmspaceConsumer one = space.AddConsumer();
            using VmspaceConsumer two = space.AddConsumer();
            Assert.That(one.Slot, Is.Not.EqualTo(two.Slot));
            Assert.That(() => space.AddConsumer(), Throws.InvalidOperationException);
            one.Dispose();
            using VmspaceConsumer three = space.AddConsumer();
            Assert.That(three.Slot, Is.EqualTo(one.Slot));
        }
        ArenaBalance.AssertWhole(arena);
    }

    [Test]
    public void StatisticsThatSeveralAskForAreOfOneMoment()
    {
        // A superpage is wired with the reserve for its demotion, or it is neither.
        using var arena = new Arena(new ArenaOptions { Bytes = 16 << 20 });
        using var guest = new Guest(arena, new GuestOptions());
        guest.MapMemory(new Gpa(0), 2 << 20);
        guest.Write(new Gpa(0), new byte[2 << 20]);
        Assert.That(guest.Space.Statistics().Superpages, Is.EqualTo(1));
        int torn = 0;
        long end = Environment.TickCount64 + 250;
        Parallel.For(0, 4, thread =>
        {
            while (Environment.TickCount64 < end)
            {
                if (thread == 0)
                {
                    guest.Wire(new Gpa(0), 2 << 20);
                    guest.Unwire(new Gpa(0), 2 << 20);
                    continue;
                }
                PmapStatistics found = guest.Space.Statistics();
                bool isOfOne = (found.WiredPages, found.ReservePages) is (0, 0) or (512, 1);
                if (!isOfOne) Interlocked.Increment(ref torn);
            }
        });
        Assert.That(torn, Is.Zero);
    }
}
