using NUnit.Framework;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Reclaim;

/// <summary>Which pages go, in every table format.</summary>
[TestFixtureSource(typeof(GuestFormats), nameof(GuestFormats.All))]
public sealed class PageDaemonCycleTests(GuestFormat format)
{
    [Test]
    public void PagesThatWereIdleLongestGoFirst()
    {
        using var at = new ReclaimFixture(format, pages: 64);
        for (ulong page = 0; page < 64; page++) at.Vcpu.Write(ReclaimFixture.At(page), 1);
        for (int i = 0; i < 3; i++)
        {
            at.Daemon.Age();
            for (ulong page = 0; page < 64; page++)
            {
                if (page is < 40 or > 43) at.Vcpu.Read(ReclaimFixture.At(page));
            }
        }

        Assert.That(at.Daemon.Reclaim(4).Freed, Is.EqualTo(4));

        for (ulong page = 0; page < 64; page++)
        {
            Assert.That(at.IsMapped(page), Is.EqualTo(page is < 40 or > 43), "page " + page);
        }
    }
}
