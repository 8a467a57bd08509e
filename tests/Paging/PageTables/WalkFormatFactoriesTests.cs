using System;
using NUnit.Framework;
using Pagoda.PageTables;

namespace Pagoda.Tests.PageTables;

public sealed class WalkFormatFactoriesTests
{
    private const ulong PagingOn = 0x8000_0001;
    private const ulong Pae = 1 << 5;
    private const ulong LongMode = 0x500;

    [Test]
    public void ControlRegistersSelectThePagingMode()
    {
        WalkFormat f = WalkFormat.ForX86(1, 0x5000, Pae, LongMode, 40);
        Assert.That(f.Table, Is.EqualTo(WalkTable.Unpaged));
        f = WalkFormat.ForX86(PagingOn, 0x5018, 0, 0, 40);
        Assert.That((f.Table, f.Levels, f.Root), Is.EqualTo((WalkTable.X86Legacy, 2, 0x5000UL)));
        f = WalkFormat.ForX86(PagingOn, 0x1_0000_5138, Pae, 0, 40);
        Assert.That((f.Table, f.Levels, f.Root), Is.EqualTo((WalkTable.X86Pae, 3, 0x5120UL)));
        f = WalkFormat.ForX86(PagingOn, 0x1_0000_5FFF, Pae, LongMode, 40);
        Assert.That((f.Table, f.Levels, f.Root), Is.EqualTo((WalkTable.X86Long, 4, 0x1_0000_5000UL)));
        f = WalkFormat.ForX86(PagingOn, 0x8000_0000_0000_5FFF, Pae | (1 << 12), LongMode, 40);
        Assert.That((f.Table, f.Levels, f.Root, f.AddressBits), Is.EqualTo((WalkTable.X86Long, 5, 0x5000UL, 57)));
    }

    [Test]
    public void ModesAreReadFromTheirBits()
    {
        const ulong cr4 = Pae | (1 << 20) | (1 << 21);
        WalkFormat f = WalkFormat.ForX86(PagingOn | (1 << 16), 0, cr4, LongMode | (1 << 11), 40);
        Assert.That((f.WriteProtect, f.Smep, f.Smap, f.HasNoExecute, f.AlignmentCheck),
            Is.EqualTo((true, true, true, true, false)));
        f = WalkFormat.ForX86(PagingOn, 0, Pae, LongMode, 40);
        Assert.That((f.WriteProtect, f.Smep, f.Smap, f.HasNoExecute), Is.EqualTo((false, false, false, false)));
    }

    [Test]
    public void NestedRootsTellTheirLevels()
    {
        WalkFormat f = WalkFormat.ForEpt(0x7000 | 0x5E, 46);
        Assert.That((f.Table, f.Levels, f.Root, f.HasAccessedDirty), Is.EqualTo((WalkTable.Ept, 4, 0x7000UL, true)));
        f = WalkFormat.ForEpt(0x7000 | 0x26, 46);
        Assert.That((f.Levels, f.HasAccessedDirty, f.AddressBits), Is.EqualTo((5, false, 57)));
        f = WalkFormat.ForNpt(0x7018, 46, levels: 5);
        Assert.That((f.Table, f.Levels, f.Root, f.WriteProtect), Is.EqualTo((WalkTable.Npt, 5, 0x7000UL, true)));
    }

    [Test]
    public void ShapesThatDoNotExistAreRefused()
    {
        Assert.That(() => WalkFormat.ForEpt(0x7016, 46), Throws.ArgumentException.With.Message.Contains("3 levels"));
        Assert.That(() => WalkFormat.ForNpt(0x7000, 46, levels: 3), Throws.ArgumentException);
        Assert.That(() => WalkFormat.ForNpt(0x7000, 53), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => WalkFormat.ForX86(0, 0, 0, 0, 31), Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    // SDM volume 3, "Checks on VMX Controls".
    [TestCase(0x101EUL, ExpectedResult = true)]
    [TestCase(0x1018UL, ExpectedResult = true, Description = "uncacheable tables")]
    [TestCase(0x105EUL, ExpectedResult = true, Description = "accessed and dirty flags")]
    [TestCase(0x1019UL, ExpectedResult = false, Description = "type 1")]
    [TestCase(0x1016UL, ExpectedResult = false, Description = "three levels")]
    [TestCase(0x1026UL, ExpectedResult = false, Description = "five levels, not supported")]
    [TestCase(0x109EUL, ExpectedResult = false, Description = "bit 7")]
    [TestCase(0x181EUL, ExpectedResult = false, Description = "bit 11")]
    [TestCase(0x100_0000_101EUL, ExpectedResult = false, Description = "bit 40")]
    [TestCase(0x8000_0000_0000_101EUL, ExpectedResult = false, Description = "bit 63")]
    public bool PointersAreCheckedAsOnEntry(ulong eptp) =>
        WalkFormat.IsValidEptp(eptp, 40, accessedDirty: true, fiveLevels: false);

    [Test]
    public void PointersAreCheckedAgainstTheCapabilities()
    {
        Assert.That(WalkFormat.IsValidEptp(0x105E, 40, accessedDirty: false, fiveLevels: false), Is.False);
        Assert.That(WalkFormat.IsValidEptp(0x1026, 40, accessedDirty: false, fiveLevels: true), Is.True);
    }

    [Test]
    public void APmapIsSeenAsItsHardwareSeesIt([Values] TableKind kind, [Values(4, 5)] int levels)
    {
        var options = new PmapOptions { Kind = kind, Levels = levels, PhysBits = 46, Gigapages = false };
        ulong eptp = 0x7000 | 6 | ((ulong)(levels - 1) << 3);
        WalkFormat f = WalkFormat.FromPmap(in options, kind == TableKind.Ept ? eptp : 0x7000);
        Assert.That((f.Levels, f.Root, f.PhysBits), Is.EqualTo((levels, 0x7000UL, 46)));
        Assert.That(f.HasAccessedDirty, Is.EqualTo(kind != TableKind.Ept), "an EPTP decides");
        Assert.That(f.IsLeaf(1 << 7, 3), Is.False);
        WalkTable table = kind switch
        {
            TableKind.Ept => WalkTable.Ept,
            TableKind.Rvi => WalkTable.Npt,
            _ => WalkTable.X86Long,
        };
        Assert.That(f.Table, Is.EqualTo(table));
    }
}
