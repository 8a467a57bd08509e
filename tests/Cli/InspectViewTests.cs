using NUnit.Framework;
using Pagoda.Cli;
using Pagoda.Core;
using Pagoda.Machine.Dump;
using Pagoda.PageTables;

namespace Pagoda.Tests.Cli;

public sealed class InspectViewTests
{
    private static readonly InspectView s_emulated = ViewOf(RootKind.Ept, 0x101E, RootAccessedDirty.Emulated);
    private static readonly InspectView s_hardware = ViewOf(RootKind.Ept, 0x105E, RootAccessedDirty.Hardware);
    private static readonly InspectView s_nested = ViewOf(RootKind.Npt, 0x1000, RootAccessedDirty.Hardware);

    [TestCase(0x0030_0000_0123_4475UL, "4 KiB page 0x1234000, rwx, WB, accessed, managed")]
    [TestCase(0x0030_0000_0123_4477UL, "4 KiB page 0x1234000, rwx, WB, accessed, dirty, managed")]
    [TestCase(0x0010_0000_0123_4475UL, "4 KiB page 0x1234000, r-x, WB, accessed, managed")]
    [TestCase(0x0070_0000_0123_4470UL, "4 KiB page 0x1234000, rwx, WB, managed, X parked until accessed")]
    [TestCase(0x0030_0000_0123_4C77UL, "4 KiB page 0x1234000, rwx, WB, accessed, dirty, managed, wired")]
    [TestCase(0x8030_0000_FE00_0043UL, "4 KiB page 0xfe000000, rw-, UC, accessed, dirty")]
    [TestCase(0x0000_0000_0000_0000UL, "not present")]
    public void EmulatedBitsAreReadAsTheEngineMeansThem(ulong entry, string meaning) =>
        Assert.That(s_emulated.Explain(entry, 1), Is.EqualTo(meaning));

    [TestCase(0x0000_0000_0123_4577UL, 1, "4 KiB page 0x1234000, rwx, WB, accessed, managed")]
    [TestCase(0x0000_0000_4000_07F7UL, 2, "2 MiB page 0x40000000, rwx, WB, accessed, dirty, managed")]
    [TestCase(0x0080_0000_0000_2307UL, 2, "table 0x2000, rwx, accessed, window locked")]
    [TestCase(0x0000_0000_0123_4052UL, 1, "misconfigured, reserved memory type 2")]
    [TestCase(0x0008_0000_0123_4077UL, 1, "misconfigured, reserved bits 0x8000000000000")]
    public void HardwareBitsAreRead(ulong entry, int level, string meaning) =>
        Assert.That(s_hardware.Explain(entry, level), Is.EqualTo(meaning));

    [TestCase(0x0000_0000_0123_4467UL, "4 KiB page 0x1234000, rwxu, PAT0, accessed, dirty, managed")]
    [TestCase(0x8000_0000_0123_4401UL, "4 KiB page 0x1234000, r--s, PAT0, managed")]
    public void NestedTablesOfAmdTellUserMode(ulong entry, string meaning) =>
        Assert.That(s_nested.Explain(entry, 1), Is.EqualTo(meaning));

    [Test]
    public void AParkedEntryIsALeafToTheEngine()
    {
        EntryFacts facts = s_emulated.Describe(0x0070_0000_0123_4470, 1);

        Assert.That(facts.Kind, Is.EqualTo(EntryKind.Leaf));
        Assert.That(facts.Rights, Is.EqualTo(Prot.All));
        Assert.That((facts.IsAccessed, facts.IsDirty), Is.EqualTo((false, false)));
    }

    private static InspectView ViewOf(RootKind kind, ulong register, RootAccessedDirty keeper) =>
        new(InspectRoot.FromNote(new CoreRoot("", kind, register, 4, 46, keeper), new InspectOptions { File = "" }));
}
