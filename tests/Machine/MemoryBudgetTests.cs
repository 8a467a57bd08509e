using System.IO;
using NUnit.Framework;
using Pagoda.Machine;
using Pagoda.Physical;
using Pagoda.Reclaim;

namespace Pagoda.Tests.Machine;

public sealed class MemoryBudgetTests
{
    private const ulong Megabyte = 1UL << 20;
    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("pagoda-budget-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void ANewFileHasNoNameAnyMore()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 8 * Megabyte });
        using var budget = Budget(arena, Path.Combine(_folder, "swap"));
        Assert.That(Directory.GetFileSystemEntries(_folder), Is.Empty);
        Assert.That(budget.Space.Store.Slots, Is.GreaterThanOrEqualTo(4 * Megabyte / 4096), "a slot a page, and more");
    }

    [Test]
    public void ALinkToNothingKeepsItsNewFile()
    {
        string link = Path.Combine(_folder, "link");
        string target = Path.Combine(_folder, "target");
        File.CreateSymbolicLink(link, target);
        using var arena = new Arena(new ArenaOptions { Bytes = 8 * Megabyte });
        using (Budget(arena, link)) Assert.That(File.Exists(target), Is.True);
        Assert.That(File.Exists(link), Is.True);
    }

    [Test]
    public void WhatStoppedReclaimIsKept()
    {
        using var arena = new Arena(new ArenaOptions { Bytes = 8 * Megabyte });
        using var budget = Budget(arena, Path.Combine(_folder, "swap"));
        Assert.That(budget.LastPressure, Is.Null);
        budget.Step();
        Assert.That(budget.LastPressure, Is.Null, "there is room");
        budget.Pressure(new ReclaimResult(0, ReclaimEnd.SwapFull));
        Assert.That(budget.LastPressure, Is.EqualTo(ReclaimEnd.SwapFull));
    }

    private static MemoryBudget Budget(Arena arena, string path) => new(arena, path, resetSwap: false, 4 * Megabyte,
        new PageDaemonOptions { ResidentBytes = 2 * Megabyte });
}
