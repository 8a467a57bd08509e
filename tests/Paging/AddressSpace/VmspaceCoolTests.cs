using NUnit.Framework;
using Pagoda.Core;
using Pagoda.GuestAccess;
using Pagoda.Physical;
using Pagoda.Tests.Reclaim;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.AddressSpace;

/// <summary>Cold pages go first, in every table format.</summary>
[TestFixtureSource(typeof(GuestFormats), nameof(GuestFormats.All))]
public sealed class VmspaceCoolTests(GuestFormat format)
{
    private const ulong Page = ReclaimFixture.PageBytes;

    [Test]
    public void ColdPagesGoBeforeThoseThatWereIdleForLong()
    {
        using var at = new ReclaimFixture(format, pages: 64);
        for (ulong page = 0; page < 64; page++) at.Vcpu.Write(ReclaimFixture.At(page), (byte)page);
        for (int i = 0; i < 20; i++) at.Daemon.Age();
        at.Daemon.Reclaim(1);
        for (ulong page = 50; page < 56; page++) at.Vcpu.Read(ReclaimFixture.At(page));

        AdviceResult result = at.Guest.Advise(new Gpa(ReclaimFixture.At(50)), 6 * Page, Advice.Cold);
        Assert.That(result.Pages, Is.EqualTo(6));
        at.Vcpu.Read(ReclaimFixture.At(53));

        Assert.That(at.Daemon.Reclaim(5).Freed, Is.EqualTo(5));
        for (ulong page = 1; page < 64; page++)
        {
            bool isCold = page is >= 50 and < 56 and not 53;
            Assert.That(at.IsMapped(page), Is.EqualTo(!isCold), "page " + page);
        }
        Assert.That(at.Vcpu.Read(ReclaimFixture.At(51)), Is.EqualTo(51));
    }

    [Test]
    public void ASuperpageThatIsColdInPartIsDemotedUnlessItIsWired()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 16 << 20 });
        using var guest = new Guest(arena, format.Options());
        using var vcpu = new TestVcpu(guest);
        guest.MapMemory(new Gpa(0), 4 << 20);
        for (ulong page = 0; page < 1024; page++) vcpu.Write(page * Page, 1);
        Assert.That(guest.Counters.Superpages, Is.EqualTo(2));
        guest.Wire(new Gpa(2 << 20), 2 << 20);
        guest.Advise(new Gpa(100 * Page), 512 * Page, Advice.Cold);
        Assert.That(guest.Counters.Superpages, Is.EqualTo(1));
        guest.Advise(new Gpa(0), 512 * Page, Advice.Cold);
        Assert.That(guest.Counters.Demotions, Is.EqualTo(1));
        guest.Pmap.CheckConsistency();
    }

    [Test]
    public void WiredPagesStay()
    {
        using var at = new ReclaimFixture(format, pages: 8);
        at.Guest.Wire(new Gpa(ReclaimFixture.At(2)), Page);
        at.Guest.Advise(Advice.Cold);
        Assert.That(at.Daemon.Reclaim(8).Freed, Is.Zero);
        int faults = at.Vcpu.Faults;
        at.Vcpu.Write(ReclaimFixture.At(2), 1);
        Assert.That(at.Vcpu.Faults, Is.EqualTo(faults));
        at.Guest.Pmap.CheckConsistency();
    }
}
