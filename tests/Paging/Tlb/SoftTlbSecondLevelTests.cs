using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Tlb;

namespace Pagoda.Tests.Tlb;

public sealed unsafe class SoftTlbSecondLevelTests
{
    private static readonly byte* s_host = (byte*)0x5000_0020_0000;

    [Test]
    public void APageIsFoundWithItsRightsAndFrame()
    {
        using var tlb = new SoftTlb();
        tlb.Keep(0x1234_5678, s_host, 12, user: true, Prot.Read, 77);
        Assert.That(tlb.Find(0x1234_5FFF, true, Prot.Read, out Prot granted, out uint pfn) == s_host, Is.True);
        Assert.That((granted, pfn), Is.EqualTo((Prot.Read, 77U)));
        Assert.That(tlb.Find(0x1234_5678, true, Prot.Write, out _, out _) == null, Is.True);
        Assert.That(tlb.Find(0x1234_5678, false, Prot.Read, out _, out _) == null, Is.True);
        Assert.That(tlb.Find(0x1234_6678, true, Prot.Read, out _, out _) == null, Is.True);
    }

    [Test]
    public void ASuperpageCoversItsWholeWindow()
    {
        using var tlb = new SoftTlb();
        tlb.Keep(0x4020_3000, s_host + 0x3000, 21, user: false, Prot.ReadWrite, 503);
        Assert.That(tlb.Find(0x403F_F123, false, Prot.Write, out _, out uint pfn) == s_host + 0x1F_F000, Is.True);
        Assert.That(pfn, Is.EqualTo(500 + 511));
        Assert.That(tlb.Find(0x4040_0000, false, Prot.Read, out _, out _) == null, Is.True);
    }

    [Test]
    public void AGigapageIsKeptAsItsWindows()
    {
        using var tlb = new SoftTlb();
        tlb.Keep(0x8000_0000, s_host, 30, user: false, Prot.Read, 0);
        Assert.That(tlb.Find(0x801F_F000, false, Prot.Read, out _, out uint pfn) == s_host + 0x1F_F000, Is.True);
        Assert.That(pfn, Is.Zero);
    }

    [Test]
    public void DroppingAPageDropsASuperpageWhoseEntryWasDisplaced()
    {
        using var tlb = new SoftTlb();
        tlb.Keep(0x4020_0000, s_host, 21, user: false, Prot.Read, 2);
        tlb.Fill(0x4030_0000, s_host + 0x10_0000, user: false, read: true, write: false);
        tlb.Keep(0x4820_0000, s_host, 21, user: false, Prot.Read, 2);
        tlb.FlushPage(0x4020_0000);
        byte* entry = tlb.Table(user: false, write: false) + ((0x4030_0000UL >> 8) & SoftTlb.IndexMask);
        Assert.That(*(ulong*)entry, Is.Not.EqualTo(0x4030_0000));
    }

    [Test]
    public void DroppingAPageDropsThePiecesOfALargeOne()
    {
        using var tlb = new SoftTlb();
        tlb.Keep(0x4020_1000, s_host, 12, user: false, Prot.Read, 2);
        tlb.FlushPage(0x4020_0000);
        Assert.That(tlb.Find(0x4020_1000, false, Prot.Read, out _, out _) == s_host, Is.True, "a page of its own");
        tlb.HasLargePages = true;
        tlb.FlushPage(0x4020_0000);
        Assert.That(tlb.Find(0x4020_1000, false, Prot.Read, out _, out _) == null, Is.True);
    }

    [Test]
    public void AFlushDropsBothKinds()
    {
        using var tlb = new SoftTlb();
        tlb.Keep(0x1000, s_host, 12, user: false, Prot.Read, 1);
        tlb.Keep(0x4020_0000, s_host, 21, user: false, Prot.Read, 2);
        tlb.Flush();
        Assert.That(tlb.Find(0x1000, false, Prot.Read, out _, out _) == null, Is.True);
        Assert.That(tlb.Find(0x4020_0000, false, Prot.Read, out _, out _) == null, Is.True);
    }

    [Test]
    public void DroppingAPageOfASuperpageDropsAllOfIt()
    {
        using var tlb = new SoftTlb();
        tlb.Keep(0x4020_0000, s_host, 21, user: false, Prot.Read, 2);
        byte* page = tlb.Find(0x4030_0000, false, Prot.Read, out _, out _);
        tlb.Fill(0x4030_0000, page, user: false, read: true, write: false);
        tlb.FlushPage(0x4020_5000);
        Assert.That(tlb.Find(0x4030_0000, false, Prot.Read, out _, out _) == null, Is.True);
        byte* entry = tlb.Table(user: false, write: false) + ((0x4030_0000UL >> 8) & SoftTlb.IndexMask);
        Assert.That(*(ulong*)entry, Is.Not.EqualTo(0x4030_0000));
    }
}
