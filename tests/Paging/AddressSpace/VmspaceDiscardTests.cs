using System;
using System.Threading;
using System.Threading.Tasks;
using NUnit.Framework;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Faults;
using Pagoda.GuestAccess;
using Pagoda.Physical;
using Pagoda.Tests.Reclaim;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.AddressSpace;

/// <summary>Dropping content, in every table format.</summary>
[TestFixtureSource(typeof(GuestFormats), nameof(GuestFormats.All))]
public sealed unsafe class VmspaceDiscardTests(GuestFormat format)
{
    private const ulong Page = ReclaimFixture.PageBytes;
    private const ulong Alias = 1UL << 32;

    [Test]
    public void FramesAndSlotsAreFreeAndTheNextTouchFindsZeros()
    {
        using var at = new ReclaimFixture(format, pages: 64);
        for (ulong page = 0; page < 64; page++) at.Vcpu.Write(ReclaimFixture.At(page), 9);
        at.Daemon.Reclaim(32);
        ulong free = ArenaBalance.Of(at.Arena);
        Assert.That(at.Pager.Stored, Is.EqualTo(32));

        AdviceResult result = at.Guest.Advise(new Gpa(ReclaimFixture.At(1)), 62 * Page, Advice.Discard);

        Assert.That(result.Pages, Is.EqualTo(62));
        Assert.That(at.Pager.Stored, Is.EqualTo(1));
        Assert.That(ArenaBalance.Of(at.Arena), Is.GreaterThanOrEqualTo(free + 31));
        Assert.That(at.Guest.Counters.DiscardedPages, Is.EqualTo(62));
        for (ulong page = 0; page < 64; page++)
        {
            Assert.That(at.Vcpu.Read(ReclaimFixture.At(page)), Is.EqualTo(page is 0 or 63 ? 9 : 0), "page " + page);
        }
    }

    [Test]
    public void EveryPlaceThatShowsAPageLosesIt()
    {
        using var at = new ReclaimFixture(format, pages: 8);
        using var other = new Guest(at.Arena, format.Options());
        using var vcpu = new TestVcpu(other);
        at.Guest.MapObject(new Gpa(Alias), at.Memory, 2 * Page, 4 * Page);
        other.MapObject(new Gpa(0), at.Memory, 0, 8 * Page);
        for (ulong page = 0; page < 8; page++) vcpu.Write(page * Page, (byte)(page + 1));
        for (ulong page = 0; page < 4; page++) at.Vcpu.Read(Alias + page * Page);
        for (ulong page = 0; page < 8; page++) at.Vcpu.Read(ReclaimFixture.At(page));

        at.Guest.Advise(new Gpa(ReclaimFixture.At(1)), 4 * Page, Advice.Discard);

        for (ulong page = 0; page < 8; page++)
        {
            byte expected = page is >= 1 and < 5 ? (byte)0 : (byte)(page + 1);
            Assert.That(other.TryTranslate(new Gpa(page * Page), Prot.Read, out _), Is.EqualTo(expected != 0));
            Assert.That(vcpu.Read(page * Page), Is.EqualTo(expected), "page " + page);
            Assert.That(at.Vcpu.Read(ReclaimFixture.At(page)), Is.EqualTo(expected), "page " + page);
            if (page is >= 2 and < 6) Assert.That(at.Vcpu.Read(Alias + (page - 2) * Page), Is.EqualTo(expected));
        }
        at.Guest.Pmap.CheckConsistency();
        other.Pmap.CheckConsistency();
    }

    [Test]
    public void AWiredPageRefusesWhoeverWiredIt()
    {
        using var at = new ReclaimFixture(format, pages: 8);
        using var other = new Guest(at.Arena, format.Options());
        other.MapObject(new Gpa(0), at.Memory, 0, 8 * Page);
        at.Vcpu.Write(ReclaimFixture.At(1), 1);
        other.Wire(new Gpa(5 * Page), Page);

        Assert.That(() => at.Guest.Advise(new Gpa(ReclaimFixture.At(0)), 8 * Page, Advice.Discard),
            Throws.TypeOf<MapException>().With.Property(nameof(MapException.Error)).EqualTo(MapError.Wired)
                .And.Property(nameof(MapException.Address)).EqualTo(ReclaimFixture.At(5)));
        Assert.That(() => other.Advise(Advice.Discard), Throws.TypeOf<MapException>()
            .With.Property(nameof(MapException.Address)).EqualTo(5 * Page));

        Assert.That(at.Vcpu.Read(ReclaimFixture.At(1)), Is.EqualTo(1));
        other.Unwire(new Gpa(5 * Page), Page);
        Assert.That(other.Advise(Advice.Discard).Pages, Is.EqualTo(2));
        Assert.That(at.Vcpu.Read(ReclaimFixture.At(1)), Is.Zero);
    }

    [Test]
    public void AHoldKeepsTheOldBytesToItself()
    {
        using var at = new ReclaimFixture(format, pages: 8);
        at.Vcpu.Write(ReclaimFixture.At(3), 7);
        Span<GuestSpan> spans = new GuestSpan[1];
        Assert.That(at.Guest.Hold(new Gpa(ReclaimFixture.At(3)), Page, Prot.Write, spans, out int count),
            Is.EqualTo(FaultStatus.Resolved));

        at.Guest.Advise(Advice.Discard);

        Assert.That(spans[0].Bytes[0], Is.EqualTo(7));
        at.Vcpu.Write(ReclaimFixture.At(3), 8);
        spans[0].Bytes[0] = 9;
        Assert.That(at.Vcpu.Read(ReclaimFixture.At(3)), Is.EqualTo(8));
        at.Guest.Release(spans[..count]);
    }

    [Test]
    public void ABatchOfRangesTakesOneGenerationAndThePagesAreHarvested()
    {
        using var at = new ReclaimFixture(format, pages: 64);
        for (ulong page = 0; page < 64; page++) at.Vcpu.Write(ReclaimFixture.At(page), 1);
        Span<ulong> bitmap = stackalloc ulong[1];
        at.Guest.HarvestModified(new Gpa(ReclaimFixture.Start), 64 * Page, bitmap);
        ulong before = at.Guest.Counters.Invalidations;
        GpaRange[] ranges =
        [
            new(new Gpa(ReclaimFixture.At(4)), 4 * Page), new(new Gpa(ReclaimFixture.At(20)), Page),
            new(new Gpa(ReclaimFixture.At(6)), 4 * Page),
        ];

        AdviceResult result = at.Guest.Advise(ranges, Advice.Discard);

        Assert.That(result.Pages, Is.EqualTo(7));
        Assert.That(at.Guest.Counters.Invalidations, Is.EqualTo(before + 1));
        bitmap.Clear();
        at.Vcpu.Read(ReclaimFixture.At(5));
        Assert.That(at.Guest.HarvestModified(new Gpa(ReclaimFixture.Start), 64 * Page, bitmap), Is.EqualTo(7));
        Assert.That(bitmap[0], Is.EqualTo(0x3F0UL | 1UL << 20));
    }

    [Test]
    public void AWindowThatWasDroppedBecomesASuperpageAgain()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 16 << 20 });
        using var guest = new Guest(arena, format.Options());
        using var vcpu = new TestVcpu(guest);
        guest.MapMemory(new Gpa(0), 4 << 20);
        for (int round = 0; round < 2; round++)
        {
            for (ulong page = 0; page < 1024; page++) vcpu.Write(page * Page, 1);
            Assert.That(guest.Counters.Superpages, Is.EqualTo(2), "round " + round);
            guest.Advise(new Gpa(3 * Page), Page, Advice.Discard);
            Assert.That(guest.Counters.Superpages, Is.EqualTo(1));
            Assert.That(vcpu.Read(3 * Page), Is.Zero);
            Assert.That(vcpu.Read(4 * Page), Is.EqualTo(1));
            guest.Pmap.CheckConsistency();
            guest.Advise(Advice.Discard);
            Assert.That(guest.Counters.ResidentPages, Is.Zero);
        }
    }

    [Test]
    public void RomAndDevicesKeepWhatTheyHave()
    {
        using var at = new ReclaimFixture(format, pages: 8);
        byte* host = stackalloc byte[(int)Page];
        at.Guest.MapRom(new Gpa(Alias), [5, 6]);
        at.Guest.MapDevice(new Gpa(Alias + Page), Page, host);
        at.Guest.MapMemory(new Gpa(Alias + 2 * Page), Page);
        at.Vcpu.Read(Alias + 1);
        at.Vcpu.Write(Alias + 2 * Page, 4);
        Assert.That(at.Guest.Advise(Advice.Discard).Pages, Is.EqualTo(1));
        Assert.That(at.Guest.TryTranslate(new Gpa(Alias), Prot.Read, out _), Is.True);
        Assert.That(at.Vcpu.Read(Alias + 1), Is.EqualTo(6));
        Assert.That(at.Vcpu.Read(Alias + 2 * Page), Is.Zero);
    }

    [Test]
    public void GuestsThatDiscardTheSamePagesAtOnceDoNotWaitForEachOther()
    {
        using var at = new ReclaimFixture(format, pages: 64);
        using var other = new Guest(at.Arena, format.Options());
        other.MapObject(new Gpa(0), at.Memory, 0, 64 * Page);
        Parallel.For(0, 3, thread =>
        {
            var random = new SeededGenerator((ulong)thread);
            using var vcpu = new TestVcpu(thread == 0 ? at.Guest : other);
            for (int i = 0; i < 200; i++)
            {
                if (thread == 0) at.Guest.Advise(Advice.Discard);
                else if (thread == 1) other.Advise(new Gpa(random.Below(32UL) * Page), 32 * Page, Advice.Discard);
                else for (int n = 0; n < 20; n++) vcpu.Write(random.Below(64UL) * Page, 1);
                if (i % 20 == 0) using (new Guest(at.Arena, format.Options())) { }
            }
        });
        at.Guest.Advise(Advice.Discard);
        for (ulong page = 0; page < 64; page++) Assert.That(at.Vcpu.Read(ReclaimFixture.At(page)), Is.Zero);
        other.Pmap.CheckConsistency();
    }

    [Test]
    public void ADisposedGuestSaysSo()
    {
        using var at = new ReclaimFixture(format, pages: 8);
        var gone = new Guest(at.Arena, format.Options());
        gone.MapObject(new Gpa(0), at.Memory, 0, 8 * Page);
        gone.Dispose();
        foreach (Advice advice in Enum.GetValues<Advice>())
        {
            Assert.That(gone.Advise(advice).Status, Is.EqualTo(FaultStatus.Destroyed), advice.ToString());
        }
    }

    [TestCase(0UL)]
    [TestCase(5UL)]
    [TestCase(20UL)]
    [TestCase(63UL)]
    public void APagerThatThrowsLeavesNoPageClaimedAndNoLockTaken(ulong bad)
    {
        using var at = new ReclaimFixture(format, pages: 64);
        for (ulong page = 0; page < 64; page++) at.Vcpu.Write(ReclaimFixture.At(page), 9);
        at.Daemon.Reclaim(32);
        at.Pager.BadDiscards.Add(bad);

        Assert.That(() => at.Guest.Advise(Advice.Discard), Throws.InvalidOperationException);

        at.Pager.BadDiscards.Clear();
        byte wrong = 0;
        var others = new Thread(() =>
        {
            for (ulong page = 0; page < 64; page++)
            {
                byte found = at.Vcpu.Read(ReclaimFixture.At(page));
                if (found is not (0 or 9)) wrong = found;
            }
            at.Guest.MapMemory(new Gpa(Alias), Page);
        }) { IsBackground = true };
        others.Start();
        Assert.That(others.Join(TimeSpan.FromSeconds(20)), Is.True, "somebody waits for ever");
        Assert.That(wrong, Is.Zero);
        at.Guest.Advise(Advice.Discard);
        for (ulong page = 0; page < 64; page++) Assert.That(at.Vcpu.Read(ReclaimFixture.At(page)), Is.Zero);
        at.Guest.Pmap.CheckConsistency();
    }
}
