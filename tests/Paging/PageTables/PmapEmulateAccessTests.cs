using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;
using Pagoda.Physical;

namespace Pagoda.Tests.PageTables;

public sealed class PmapEmulateAccessTests
{
    private const ulong Gpa = 0x7000;

    [TestCase("Ept")]
    [TestCase("Rvi")]
    [TestCase("X86")]
    public void WithHardwareBitsItIsNotOurs(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        h.Enter(Gpa, h.TakePages(0), Prot.All, Prot.None);
        Assert.That(h.Pmap.EmulateAccess(Gpa, Prot.Read), Is.EqualTo(AdEmulation.NotEmulating));
        Assert.That(h.Pmap.EmulateAccess(Gpa, Prot.Write), Is.EqualTo(AdEmulation.NotEmulating));
    }

    [Test]
    public void WithoutALeafThereIsNothingToSet()
    {
        using var h = new PmapHarness(Formats.EptEmulated);
        Assert.That(h.Pmap.EmulateAccess(Gpa, Prot.Read), Is.EqualTo(AdEmulation.NotMapped));
        h.Enter(Gpa + 0x1000, h.TakePages(0), Prot.All, Prot.None);
        Assert.That(h.Pmap.EmulateAccess(Gpa, Prot.Write), Is.EqualTo(AdEmulation.NotMapped));
        Assert.That(h.Pmap.EmulateAccess(h.Pmap.GpaLimit, Prot.Read), Is.EqualTo(AdEmulation.NotMapped));
    }

    [Test]
    public void AReadOfASuperpageSetsItsAccessedBit([Values(Prot.Read, Prot.Execute)] Prot access)
    {
        using var h = new PmapHarness(Formats.EptEmulated);
        ulong pages = h.TakePages(9);
        h.EnterSuperpage(0, pages, 2, new LeafRequest(Prot.ReadExecute, Prot.None));
        Assert.That(h.Entry(0), Is.EqualTo(pages | 0x00500000000004F0));
        Assert.That(h.Pmap.EmulateAccess(Gpa, access), Is.EqualTo(AdEmulation.SetSuperpageAccessed));
        Assert.That(h.Entry(0), Is.EqualTo(pages | 0x00100000000004F5));
        Assert.That(h.Pmap.EmulateAccess(Gpa, access), Is.EqualTo(AdEmulation.AlreadySet));
        h.Check();
    }

    [Test]
    public void AWriteToASuperpageIsForTheFaultPathUnlessItIsWritable()
    {
        using var h = new PmapHarness(Formats.EptEmulated);
        h.EnterSuperpage(0, h.TakePages(9), 2, new LeafRequest(Prot.ReadExecute, Prot.Read));
        Assert.That(h.Pmap.EmulateAccess(Gpa, Prot.Write), Is.EqualTo(AdEmulation.Denied));
        h.EnterSuperpage(PmapHarness.Mega2, h.TakePages(9), 2, new LeafRequest(Prot.All, Prot.Write));
        Assert.That(h.Pmap.EmulateAccess(PmapHarness.Mega2, Prot.Write), Is.EqualTo(AdEmulation.AlreadySet));
    }

    [Test]
    public void AWriteWithoutTheRightIsForTheFaultPath()
    {
        using var h = new PmapHarness(Formats.EptEmulated);
        h.Enter(Gpa, h.TakePages(0), Prot.ReadExecute, Prot.Read);
        ulong entry = h.Entry(Gpa);
        Assert.That(h.Pmap.EmulateAccess(Gpa, Prot.Write), Is.EqualTo(AdEmulation.Denied));
        Assert.That(h.Entry(Gpa), Is.EqualTo(entry));
    }

    [Test]
    public void AFetchWithoutTheRightIsForTheFaultPath()
    {
        using var h = new PmapHarness(Formats.EptEmulated);
        h.Enter(Gpa, h.TakePages(0), Prot.ReadWrite, Prot.None);
        Assert.That(h.Pmap.EmulateAccess(Gpa, Prot.Execute), Is.EqualTo(AdEmulation.Denied));
        Assert.That(h.Pmap.EmulateAccess(Gpa, Prot.Read), Is.EqualTo(AdEmulation.SetAccessed));
        Assert.That(h.Pmap.EmulateAccess(Gpa, Prot.Execute), Is.EqualTo(AdEmulation.Denied));
    }

    [Test]
    public void AWriteSetsModifiedAndAccessedTogether([Values] bool accessedBefore)
    {
        using var h = new PmapHarness(Formats.EptEmulated);
        ulong page = h.TakePages(0);
        h.Enter(Gpa, page, Prot.All, accessedBefore ? Prot.Read : Prot.None);
        Assert.That(h.Entry(Gpa), Is.EqualTo(page | (accessedBefore ? 0x0030000000000475UL : 0x0070000000000470)));
        Assert.That(h.Pmap.EmulateAccess(Gpa, Prot.Write), Is.EqualTo(AdEmulation.SetModified));
        Assert.That(h.Entry(Gpa), Is.EqualTo(page | 0x0030000000000477));
        Assert.That(h.Pmap.EmulateAccess(Gpa, Prot.Write), Is.EqualTo(AdEmulation.AlreadySet));
        Assert.That(h.Pmap.EmulateAccess(Gpa, Prot.ReadWrite), Is.EqualTo(AdEmulation.AlreadySet));
    }

    [Test]
    public void AReadOrFetchSetsAccessedAlone([Values(Prot.Read, Prot.Execute, Prot.ReadExecute)] Prot access)
    {
        using var h = new PmapHarness(Formats.EptEmulated);
        ulong page = h.TakePages(0);
        h.Enter(Gpa, page, Prot.All, Prot.None);
        Assert.That(h.Pmap.EmulateAccess(Gpa, access), Is.EqualTo(AdEmulation.SetAccessed));
        Assert.That(h.Entry(Gpa), Is.EqualTo(page | 0x0030000000000475));
        Assert.That(h.Pmap.EmulateAccess(Gpa, access), Is.EqualTo(AdEmulation.AlreadySet));
    }

    [Test]
    public void APageFirstTouchedByAWriteNeedsNoEmulation()
    {
        using var h = new PmapHarness(Formats.EptEmulated);
        h.Enter(Gpa, h.TakePages(0), Prot.All, Prot.Write);
        Assert.That(h.Walk(Gpa, Prot.Write).Outcome, Is.EqualTo(WalkOutcome.Ok));
        Assert.That(h.Walk(Gpa, Prot.Execute).Outcome, Is.EqualTo(WalkOutcome.Ok));
    }

    [Test]
    public void TwoConsumersOnOnePageSetOneModifiedBit()
    {
        using var h = new PmapHarness(Formats.EptEmulated);
        ulong page = h.TakePages(0);
        int set = 0;
        for (int round = 0; round < 200; round++)
        {
            h.Enter(Gpa, page, Prot.All, Prot.None);
            var other = new System.Threading.Thread(() => Count(h.Pmap.EmulateAccess(Gpa, Prot.Write)));
            other.Start();
            Count(h.Pmap.EmulateAccess(Gpa, Prot.Write));
            other.Join();
            Assert.That(h.Entry(Gpa), Is.EqualTo(page | 0x0030000000000477));
            h.Remove(Gpa, PmapHarness.Page);
        }
        Assert.That(set, Is.EqualTo(200));

        void Count(AdEmulation result)
        {
            if (result == AdEmulation.SetModified) System.Threading.Interlocked.Increment(ref set);
            else if (result != AdEmulation.AlreadySet) System.Threading.Interlocked.Add(ref set, 1000);
        }
    }
}
