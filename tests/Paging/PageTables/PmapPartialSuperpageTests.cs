using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;

namespace Pagoda.Tests.PageTables;

/// <summary>
/// What an operation does to part of a superpage equals what it does to the same part of 512 leaves, for every
/// operation and every part whose ends are at an edge.
/// </summary>
[TestFixtureSource(typeof(Formats), nameof(Formats.NamesAnyDepth))]
public sealed class PmapPartialSuperpageTests(string name)
{
    private static readonly int[] s_edges = [0, 1, 8, 255, 511, 512];

    [Test]
    public void EqualsTheSameOfItsLeaves(
        [Values("Remove", "ProtectRead", "ProtectNoExecute", "RemoveWrite", "HarvestModified", "HarvestReferenced",
            "Wire", "Unwire", "Enter")] string operation,
        [Values] bool wired)
    {
        using var superpage = new PmapHarness(Formats.ByName(name));
        using var leaves = new PmapHarness(Formats.ByName(name));
        ulong pages = superpage.TakePages(9);
        Assert.That(leaves.TakePages(9), Is.EqualTo(pages));
        var request = new LeafRequest(Prot.All, Prot.Write, wired);
        for (int i = 0; i < s_edges.Length; i++)
        {
            for (int j = i + 1; j < s_edges.Length; j++)
            {
                ulong gpa = PmapHarness.Mega2 + ((ulong)s_edges[i] << 12);
                ulong length = (ulong)(s_edges[j] - s_edges[i]) << 12;
                superpage.EnterSuperpage(PmapHarness.Mega2, pages, 2, request);
                leaves.EnterRun(PmapHarness.Mega2, pages, 512, request, out _);
                Run(superpage, operation, gpa, length, pages);
                Run(leaves, operation, gpa, length, pages);
                Compare(superpage, leaves, operation, length == PmapHarness.Mega2);
                superpage.RemoveAll();
                leaves.RemoveAll();
            }
        }
        superpage.AssertNothingLeaked(512);
    }

    private static void Run(PmapHarness h, string operation, ulong gpa, ulong length, ulong pages)
    {
        ulong hpa = pages + (gpa & Paging.WindowOffsetMask);
        switch (operation)
        {
            case "Remove": h.Remove(gpa, length); break;
            case "ProtectRead": h.Protect(gpa, length, Prot.Read); break;
            case "ProtectNoExecute": h.Protect(gpa, length, Prot.ReadWrite); break;
            case "RemoveWrite": h.RemoveWrite(gpa, length); break;
            case "HarvestModified": h.HarvestModified(gpa, length, true, out _); break;
            case "HarvestReferenced": h.HarvestReferenced(gpa, length, false, out _); break;
            case "Wire": h.Pmap.Wire(gpa, length, Prot.All, h.Cache, out _); break;
            case "Unwire": h.Pmap.Unwire(gpa, length, h.Cache); break;
            default:
                h.EnterRun(gpa, hpa, length >> 12, new LeafRequest(Prot.All, Prot.Write, wired: true), out _);
                break;
        }
    }

    private static void Compare(PmapHarness superpage, PmapHarness leaves, string operation, bool whole)
    {
        PteFormat f = superpage.Pmap.Format;
        // A whole superpage is writable only with M: what cleared it took the write right along.
        ulong ignored = whole && operation == "HarvestModified" ? f.Writable : 0;
        for (ulong i = 0; i < 512; i++)
        {
            ulong gpa = PmapHarness.Mega2 + (i << 12);
            ulong entry = superpage.Pmap.Lookup(gpa, out int level);
            if (entry != 0 && level == 2) entry = f.Demoted(entry, 2) + (i << 12);
            if ((entry | ignored) != (leaves.Entry(gpa) | ignored)) Assert.Fail($"{gpa:x}: {entry:x}");
        }
        Assert.That(superpage.Statistics.ResidentPages, Is.EqualTo(leaves.Statistics.ResidentPages));
        Assert.That(superpage.Statistics.WiredPages, Is.EqualTo(leaves.Statistics.WiredPages));
        superpage.Check();
        leaves.Check();
    }
}
