using NUnit.Framework;
using Pagoda.Core;
using Pagoda.PageTables;

namespace Pagoda.Tests.PageTables;

public sealed unsafe class PmapCheckTests
{
    /// <summary>Each is a defect that the check must find, by the entry or record it spoils.</summary>
    [Test]
    public void FindsWhatIsSpoiled([Range(0, 9)] int defect)
    {
        using var h = new PmapHarness(Formats.EptEmulated);
        ulong pages = h.TakePages(9);
        h.Enter(0x7000, pages, Prot.All, Prot.Read);
        h.EnterSuperpage(PmapHarness.Mega2, pages, 2, new LeafRequest(Prot.All, Prot.Write));
        h.Pmap.CheckConsistency();
        ulong* leaf = Cell(h, 0x7000);
        ulong* superpage = Cell(h, PmapHarness.Mega2);
        ulong* pde = superpage - 1;
        uint table = (uint)((*pde & h.Pmap.Format.Frame) >> 12);
        switch (defect)
        {
            case 0: *leaf |= 2; break;                          // Modified, and an unaccessed page's rights.
            case 1: *leaf = (*leaf & ~1UL) | 2; break;          // Hardware would see 110.
            case 2: *leaf |= PteFormat.Wired; break;
            case 3: *leaf |= PteFormat.WindowLock; break;
            case 4: *superpage &= ~h.Pmap.Format.Modified; break;
            case 5: *superpage += 0x1000; break;
            case 6: *leaf = 0; break;
            case 7: *pde &= ~h.Pmap.Format.Accessed; break;
            case 8: h.Arena.Frames.Record(table)->Owner++; break;
            case 9: h.Arena.Frames.Record(table)->Index++; break;
        }
        if (defect == 0) Assert.That(h.Pmap.CheckConsistency, Throws.Nothing, "a written page is legal");
        else Assert.That(h.Pmap.CheckConsistency, Throws.TypeOf<InvariantException>());
    }

    private static ulong* Cell(PmapHarness h, ulong gpa)
    {
        WalkResult walk = h.Walk(gpa, Prot.Read);
        return (ulong*)h.Arena.DirectMap(walk.Addresses[walk.EntryCount - 1]);
    }
}
