using System;
using NUnit.Framework;
using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.Tests.Physical;

public sealed class ArenaOptionsCheckTests
{
    private const ulong Page = Paging.PageBytes;
    private const nint Somewhere = 0x1000_0000;

    private static readonly TestCaseData[] s_refused =
    [
        Case("Bytes", "at least 8192", new ArenaOptions { Bytes = 0 }),
        Case("Bytes", "at least 8192", new ArenaOptions { Bytes = Page }),
        Case("Bytes", "round it up to 12288", new ArenaOptions { Bytes = 2 * Page + 1 }),
        Case("Bytes", "round it up to 2097152", new ArenaOptions { Bytes = 2 * Page, Backing = ArenaBacking.Hugetlb }),
        Case("Bytes", "raise PhysBits", new ArenaOptions { Bytes = (1UL << 31) + Page, PhysBits = 32 }),
        Case("Bytes", "use several", new ArenaOptions { Bytes = 1UL << 44, PhysBits = 52 }),
        Case("PhysBits", "use 32 to 52", new ArenaOptions { Bytes = 2 * Page, PhysBits = 31 }),
        Case("PhysBits", "use 32 to 52", new ArenaOptions { Bytes = 2 * Page, PhysBits = 53 }),
        Case("Backing", "names no backing", new ArenaOptions { Bytes = 2 * Page, Backing = (ArenaBacking)9 }),
        Case("CallerMemory", "is null", new ArenaOptions { Bytes = 2 * Page, Backing = ArenaBacking.Caller }),
        Case("CallerMemory", "only Backing = Caller", new ArenaOptions { Bytes = 2 * Page, CallerMemory = Somewhere }),
        Case("CallerMemory", "4 KiB boundary", new ArenaOptions
        {
            Bytes = 2 * Page,
            Backing = ArenaBacking.Caller,
            CallerMemory = Somewhere + 8,
        }),
    ];

    [TestCaseSource(nameof(s_refused))]
    public void AWrongOptionIsNamedWithWhatToDo(string option, string remedy, ArenaOptions options) =>
        Assert.That(() => ArenaOptionsCheck.Require(options), Throws.ArgumentException
            .With.Property(nameof(ArgumentException.ParamName)).EqualTo(option)
            .And.Message.Contains("ArenaOptions." + option).And.Message.Contains(remedy));

    [TestCase(2 * Page, 46)]
    [TestCase(1UL << 31, 32)]
    [TestCase(ArenaOptions.BytesMax, 52)]
    public void TheSmallestAndTheLargestAreAccepted(ulong bytes, int physBits) => Assert.That(
        () => ArenaOptionsCheck.Require(new ArenaOptions { Bytes = bytes, PhysBits = physBits }), Throws.Nothing);

    private static TestCaseData Case(string option, string remedy, ArenaOptions options) =>
        new TestCaseData(option, remedy, options).SetArgDisplayNames(option, remedy);
}
