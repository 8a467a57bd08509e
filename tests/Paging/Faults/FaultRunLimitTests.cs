using System;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.Pagers;
using Pagoda.Physical;
using Pagoda.Reclaim;
using Pagoda.Tests.Pagers;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Faults;

/// <summary>A guest over its maximum pays with its own pages, in every table format.</summary>
[TestFixtureSource(typeof(GuestFormats), nameof(GuestFormats.All))]
public sealed unsafe class FaultRunLimitTests(GuestFormat format)
{
    private const ulong PageBytes = 4096;
    private Arena _arena = null!;
    private PageDaemon _daemon = null!;
    private SwapSpace _space = null!;

    [SetUp]
    public void SetUp()
    {
        _arena = new Arena(new ArenaOptions { Bytes = 1024 * PageBytes });
        _daemon = new PageDaemon(_arena, new PageDaemonOptions());
        _space = new SwapSpace(new MemorySwapStore(100));
    }

    [TearDown]
    public void TearDown()
    {
        _daemon.Dispose();
        _space.Dispose();
        _arena.Dispose();
    }

    [Test]
    public void AGuestNeverMapsMoreThanItsMaximumAndOthersKeepTheirPages()
    {
        using Guest other = MakeGuest(0);
        using var otherVcpu = new TestVcpu(other);
        for (ulong page = 0; page < 100; page++) otherVcpu.Write(page * PageBytes, 1);
        using Guest guest = MakeGuest(64);
        using var vcpu = new TestVcpu(guest);
        for (ulong page = 0; page < 150; page++)
        {
            vcpu.Write(page * PageBytes, (byte)(page + 1));
            Assert.That(guest.Counters.ResidentPages, Is.LessThanOrEqualTo(64), "page " + page);
        }
        for (ulong page = 0; page < 150; page++)
        {
            Assert.That(vcpu.Read(page * PageBytes), Is.EqualTo((byte)(page + 1)), "page " + page);
            Assert.That(guest.Counters.ResidentPages, Is.LessThanOrEqualTo(64), "page " + page);
        }
        Assert.That(other.Counters.ResidentPages, Is.EqualTo(100));
        Assert.That(guest.Counters.SwapOuts, Is.Positive);
    }

    [Test]
    public void ASuperpageThatIsBeyondTheMaximumIsNotPopulated([Values(128UL, 600UL)] ulong maxPages)
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 16 << 20 });
        using var daemon = new PageDaemon(arena, new PageDaemonOptions());
        using var space = new SwapSpace(new MemorySwapStore(2048));
        using var guest = new Guest(arena, format.Options() with
        {
            Swap = space,
            Policy = SuperpagePolicy.Superpage,
            MaxResidentBytes = maxPages * PageBytes,
        });
        guest.MapMemory(new Gpa(0), 4 << 20);
        using var vcpu = new TestVcpu(guest);
        for (ulong page = 0; page < 1024; page += 64)
        {
            vcpu.Write(page * PageBytes, (byte)(page + 1));
            Assert.That(guest.Counters.ResidentPages, Is.LessThanOrEqualTo(maxPages), "page " + page);
        }
        Assert.That(guest.Counters.ResidentPages, maxPages < 512 ? Is.LessThan(512) : Is.GreaterThanOrEqualTo(512));
    }

    [Test]
    public void AGuestWhosePagesCannotGoEndsWithoutMemory()
    {
        using Guest guest = MakeGuest(32);
        using var vcpu = new TestVcpu(guest);
        guest.Wire(new Gpa(0), 32 * PageBytes);

        Assert.That(vcpu.TryAccess(40 * PageBytes, Prot.Write, out _), Is.EqualTo(FaultStatus.OutOfMemory));

        // What is there already is not a matter of the maximum.
        vcpu.Write(5 * PageBytes, 5);
        guest.Unwire(new Gpa(0), 32 * PageBytes);
        vcpu.Write(40 * PageBytes, 40);
        Assert.That(vcpu.Read(5 * PageBytes), Is.EqualTo(5));
    }

    [Test]
    public void LimitsThatContradictEachOtherAreRefused()
    {
        GuestOptions options = format.Options() with { MinResidentBytes = 2 * PageBytes, MaxResidentBytes = PageBytes };
        Assert.That(() => new Guest(_arena, options), Throws.TypeOf<ArgumentException>());
        options = format.Options() with { MaxResidentBytes = 100 };
        Assert.That(() => new Guest(_arena, options), Throws.TypeOf<ArgumentException>());
    }

    private Guest MakeGuest(ulong maxPages)
    {
        var guest = new Guest(_arena, format.Options() with
        {
            Swap = _space,
            Superpages = false,
            MaxResidentBytes = maxPages * PageBytes,
        });
        guest.MapMemory(new Gpa(0), 256 * PageBytes);
        return guest;
    }
}
