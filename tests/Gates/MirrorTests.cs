using System;
using System.Collections.Generic;
using System.Text.RegularExpressions;
using NUnit.Framework;

namespace Pagoda.Tests.Gates;

/// <summary>Every source file that does something has a test file of its own in the mirrored folder.</summary>
/// <remarks>
/// <c>engine/Paging/PageTables/Pmap.Enter.cs</c> has <c>tests/Paging/PageTables/PmapEnterTests.cs</c>. Files that only
/// declare (enumerations, interfaces, constants, plain records) need none.
/// </remarks>
public sealed class MirrorTests
{
    private static readonly (string Sources, string Tests)[] s_mirrors =
    [
        ("engine/Paging", "tests/Paging"),
        ("engine/Machine", "tests/Machine"),
        ("interop/Linux", "tests/Linux"),
        ("tools/Pagoda.Cli", "tests/Cli"),
    ];

    /// <summary>Files without a test file of their own, each with the reason.</summary>
    private static readonly Dictionary<string, string> s_untested = new(StringComparer.Ordinal)
    {
        ["tools/Pagoda.Cli/Program.cs"] = "One line; all behind it is CommandLine.",
        ["engine/Machine/BuiltinGuest/MemoryCheckEntry.cs"] = "Its code is tested as MemoryCheckProgram's.",
        ["engine/Machine/BuiltinGuest/MemoryCheckMain.cs"] = "Its code is tested as MemoryCheckProgram's.",
        ["engine/Machine/BuiltinGuest/MemoryCheckMain.Locks.cs"] = "Its code is tested as MemoryCheckProgram's.",
        ["engine/Machine/BuiltinGuest/MemoryCheckMain.Team.cs"] = "Its code is tested as MemoryCheckProgram's.",
        ["engine/Machine/BuiltinGuest/MemoryCheckStartup.cs"] = "Its code is tested as MemoryCheckProgram's.",
        ["engine/Machine/BuiltinGuest/MemoryCheckMain.Output.cs"] = "Its code is tested as MemoryCheckProgram's.",
        ["engine/Machine/BuiltinGuest/MemoryCheckMain.Sweep.cs"] = "Its code is tested as MemoryCheckProgram's.",
        ["engine/Machine/BuiltinGuest/MemoryCheckMain.Tables.cs"] = "Its code is tested as MemoryCheckProgram's.",
        ["engine/Paging/Pagers/SwapHeader.cs"] = "Tested with SwapFile, which alone reads and writes it.",
        ["engine/Paging/Pagers/SwapSpace.cs"] = "Tested with SwapPager: it keeps what pagers share.",
        ["engine/Paging/Reclaim/ReclaimResult.cs"] = "Two values, tested with PageDaemon.",
        ["engine/Paging/Reclaim/EvictionSink.cs"] = "Tested with PageDaemon.Evict, which alone uses it.",
        ["engine/Paging/Reclaim/ResidentScan.cs"] = "Tested with PageDaemon.Cycle, which alone uses it.",
        ["engine/Paging/Reclaim/PageDaemon.Batches.cs"] = "Tested with PageDaemon.Run, which alone takes batches.",
        ["engine/Paging/Reclaim/ReclaimThreads.cs"] = "Tested with PageDaemon.Threads, whose work its threads do.",
        ["engine/Paging/Reclaim/EvictionLanes.cs"] = "Tested with PageDaemon.Evict, which alone fills it.",
        ["engine/Paging/AddressSpace/Vmspace.Reclaim.cs"] = "Tested with PageDaemon, which alone uses it.",
        ["interop/Linux/Libc.Swap.cs"] = "Tested with SwapFile, which alone calls it.",
        ["engine/Paging/PageTables/WalkResult.cs"] = "Tested with the walker, which alone fills it.",
    };

    private const string AutomaticProperty = @"\A\{(\s*(private |internal )?(get|set|init)\s*;)+\s*\}\z";

    [Test]
    public void EveryFileThatDoesSomethingHasItsTests()
    {
        var paths = new HashSet<string>(StringComparer.Ordinal);
        foreach (SourceFile file in SourceTree.CSharp) paths.Add(file.Path);
        var violations = new Violations(s_untested);
        foreach (SourceFile file in SourceTree.CSharp)
        {
            foreach ((string sources, string tests) in s_mirrors)
            {
                if (!file.Path.StartsWith(sources + "/", StringComparison.Ordinal) || !DoesSomething(file)) continue;
                string mirror = tests + file.Folder[sources.Length..] + "/"
                    + file.Stem.Replace(".", "", StringComparison.Ordinal) + "Tests.cs";
                if (!paths.Contains(mirror)) violations.Add(file.Path, file.Path + " has no " + mirror + ".");
            }
        }
        violations.AssertNone();
    }

    private static bool DoesSomething(SourceFile file)
    {
        foreach (SourceFunction function in file.Functions)
        {
            bool isAutomatic = Regex.IsMatch(file.Code[function.Position..function.End], AutomaticProperty);
            if (!isAutomatic) return true;
        }
        return Regex.IsMatch(file.Code, @"\)\s*=>");
    }
}
