using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Tests.Support;
using Pagoda.Tlb;

namespace Pagoda.Tests.Tlb;

public sealed unsafe class SoftTlbTests
{
    private const ulong Address = 0x7FFF_1234_5678;
    private static readonly byte* s_host = (byte*)0x5000_0000_1000;

    [Test]
    public void AFilledPageTranslatesForItsPrivilegeAndKindOnly()
    {
        using var tlb = new SoftTlb();
        tlb.Fill(Address, s_host, user: true, read: true, write: false);
        Assert.That(Translate(tlb, Address, true, false), Is.EqualTo((ulong)s_host + 0x678));
        Assert.That(Translate(tlb, Address, true, true), Is.Zero);
        Assert.That(Translate(tlb, Address, false, false), Is.Zero);
        Assert.That(Translate(tlb, Address + 0x1000, true, false), Is.Zero);
    }

    [Test]
    public void AccessesThatCrossThePageMiss()
    {
        using var tlb = new SoftTlb();
        tlb.Fill(Address, s_host, user: false, read: true, write: true);
        ulong last = (Address | 0xFFF) - 7;
        Assert.That(Translate(tlb, last, false, true, 8), Is.Not.Zero);
        Assert.That(Translate(tlb, last + 1, false, true, 8), Is.Zero);
        Assert.That(Translate(tlb, last + 7, false, true, 1), Is.Not.Zero);
    }

    [TestCase(10)]
    [TestCase(3000)]
    public void AFlushDropsFewAndMany(int pages)
    {
        using var tlb = new SoftTlb();
        ulong flushes = tlb.Flushes;
        for (int i = 0; i < pages; i++) tlb.Fill((ulong)i << 12, s_host, i % 2 == 0, read: true, write: true);
        tlb.Flush();
        for (int i = 0; i < pages; i++)
        {
            Assert.That(Translate(tlb, (ulong)i << 12, i % 2 == 0, false), Is.Zero);
            Assert.That(Translate(tlb, (ulong)i << 12, i % 2 == 0, true), Is.Zero);
        }
        Assert.That(tlb.Flushes, Is.EqualTo(flushes + 1));
    }

    [Test]
    public void OnePageCanBeDropped()
    {
        using var tlb = new SoftTlb();
        tlb.Fill(0x1000, s_host, user: false, read: true, write: true);
        tlb.Fill(0x2000, s_host, user: false, read: true, write: true);
        tlb.FlushPage(0x1FFF);
        Assert.That(Translate(tlb, 0x1000, false, false), Is.Zero);
        Assert.That(Translate(tlb, 0x2000, false, true), Is.Not.Zero);
    }

    [Test]
    public void StoresToAHostPageCanBeTakenAwayUnderEveryAddress()
    {
        using var tlb = new SoftTlb();
        tlb.Fill(0x1000, s_host, user: false, read: true, write: true);
        tlb.Fill(0x9000, s_host, user: true, read: true, write: true);
        tlb.Fill(0x2000, s_host + 0x1000, user: false, read: true, write: true);
        tlb.DropStores(s_host);
        Assert.That(Translate(tlb, 0x1000, false, true), Is.Zero);
        Assert.That(Translate(tlb, 0x9000, true, true), Is.Zero);
        Assert.That(Translate(tlb, 0x1000, false, false), Is.Not.Zero);
        Assert.That(Translate(tlb, 0x2000, false, true), Is.Not.Zero);
    }

    [Test]
    public void RandomUseNeverTranslatesWrongly()
    {
        var random = new SeededGenerator(91);
        using var tlb = new SoftTlb();
        var model = new System.Collections.Generic.Dictionary<(ulong, bool), ulong>();
        for (int i = 0; i < 20_000; i++)
        {
            ulong page = (ulong)random.Below(4000) << 12;
            bool user = random.OneIn(2);
            switch (random.Below(40))
            {
                case 0:
                    tlb.Flush();
                    model.Clear();
                    break;
                case 1:
                    tlb.FlushPage(page);
                    model.Remove((page, false));
                    model.Remove((page, true));
                    break;
                case < 20:
                    ulong host = 0x1_0000_0000 + ((ulong)random.Below(1000) << 12);
                    tlb.Fill(page, (byte*)host, user, read: true, write: false);
                    model[(page, user)] = host;
                    break;
                default:
                    ulong found = Translate(tlb, page, user, false);
                    bool isRight = found == 0 || (model.TryGetValue((page, user), out ulong expected)
                        && expected == found);
                    Assert.That(isRight, Is.True, random.ToString());
                    break;
            }
        }
    }

    /// <summary>The look-up as a vCPU does it; 0 for a miss.</summary>
    private static ulong Translate(SoftTlb tlb, ulong address, bool user, bool write, ulong size = 1)
    {
        byte* entry = tlb.Table(user, write) + ((address >> 8) & SoftTlb.IndexMask);
        bool isHit = ((address + size - 1) & ~0xFFFUL) == *(ulong*)entry;
        return isHit ? address + *(ulong*)(entry + 8) : 0;
    }
}
