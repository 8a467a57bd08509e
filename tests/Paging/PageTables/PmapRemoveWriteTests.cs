using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;

namespace Pagoda.Tests.PageTables;

public sealed class PmapRemoveWriteTests
{
    private const ulong Gpa = 0x7000;

    [TestCase("EptEmulated", 0x0010000000000475UL)]
    [TestCase("Ept", 0x575UL)]
    [TestCase("Rvi", 0x425UL)]
    public void AfterAWriteTheWorkedValueIsLeft(string name, ulong expected)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        ulong page = h.TakePages(0);
        h.Enter(Gpa, page, Prot.All, Prot.Write);
        h.RemoveWrite(Gpa, PmapHarness.Page);
        Assert.That(h.Entry(Gpa), Is.EqualTo(page | expected));
        Assert.That(h.Arena.Frames.IsDirty((uint)(page >> 12)), Is.True);
        Assert.That(h.Log.Changes, Has.Count.EqualTo(1));
        Assert.That(h.Access(Gpa, Prot.Write), Is.False);
        Assert.That(h.Access(Gpa, Prot.Execute), Is.True);
        Assert.That(h.Enter(Gpa, page, Prot.All, Prot.Write), Is.EqualTo(PmapStatus.Ok), "the full fault");
        Assert.That(h.Access(Gpa, Prot.Write), Is.True);
        h.Check();
    }

    [TestCaseSource(typeof(Formats), nameof(Formats.Names))]
    public void ACleanPageStaysClean(string name)
    {
        using var h = new PmapHarness(Formats.ByName(name));
        ulong page = h.TakePages(0);
        h.Enter(Gpa, page, Prot.All, Prot.Read);
        h.RemoveWrite(0, PmapHarness.Mega2);
        Assert.That(h.Arena.Frames.IsDirty((uint)(page >> 12)), Is.False);
        Assert.That(h.Access(Gpa, Prot.Write), Is.False);
        h.Check();
    }
}
