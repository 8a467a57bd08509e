using System;
using System.Collections.Generic;
using System.IO;
using System.Text.RegularExpressions;
using NUnit.Framework;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Gates;

/// <summary>Some things may be said in few places only: unsafe, raw table bits, atomics, catch.</summary>
public sealed class ConfinementTests
{
    private static readonly string[] s_unsafeFolders =
        ["engine/Paging/", "engine/Machine/", "interop/", "tests/", "perf/"];

    /// <summary>The files of the page tables' raw bits and of the two formats that are made from them.</summary>
    private static readonly string[] s_rawBitFiles =
    [
        "EntryBits.cs", "PteFormat.cs", "WalkBits.cs", "WalkFormat.cs", "WalkFormat.Describe.cs",
        "WalkFormat.Factories.cs", "Walker.Ept.cs",
        "Walker.Legacy.cs", "Walker.X86.cs", "Walker.cs",
    ];

    private static readonly Dictionary<string, string> s_catches = new(StringComparer.Ordinal);

    [Test]
    public void UnsafeCodeIsConfined()
    {
        var violations = new Violations();
        foreach (SourceFile file in SourceTree.CSharp)
        {
            if (StartsWithAny(file.Path, s_unsafeFolders)) continue;
            Report(violations, file, @"\bunsafe\b", "unsafe code belongs into the engine, interop, tests and perf");
        }
        foreach (string path in SourceTree.TextFiles)
        {
            bool mayAllow = !path.EndsWith(".csproj", StringComparison.Ordinal) || StartsWithAny(path, s_unsafeFolders);
            if (mayAllow) continue;
            string project = File.ReadAllText(RepositoryRoot.At(path));
            bool allows = project.Contains("AllowUnsafeBlocks>true", StringComparison.Ordinal);
            if (allows) violations.Add(path, path + " turns unsafe code on.");
        }
        violations.AssertNone();
    }

    [Test]
    public void RawTableBitsAreNamedByTheFormatsOnly()
    {
        SourceFile? bits = Find("engine/Paging/PageTables/EntryBits.cs");
        if (bits is null) Assert.Ignore("The page tables keep no raw bits yet.");
        var violations = new Violations();
        foreach (Match name in Regex.Matches(bits!.Code, @"\bstatic\s+class\s+(\w+)"))
        {
            foreach (SourceFile file in SourceTree.CSharp)
            {
                bool mayName = !file.Path.StartsWith("engine/", StringComparison.Ordinal)
                    || Array.IndexOf(s_rawBitFiles, Path.GetFileName(file.Path)) >= 0;
                if (mayName) continue;
                Report(violations, file, @"\b" + name.Groups[1].Value + @"\b", "raw bits are the formats' business");
            }
        }
        violations.AssertNone();
    }

    [Test]
    public void TheKernelReachesSharedStateThroughCoreOnly()
    {
        const string Atomics = @"\b(Interlocked|Volatile|Monitor|SpinLock|SpinWait|Thread|Mutex|Semaphore\w*)\s*\."
            + @"|\block\s*\(|\bvolatile\b|\bMemoryBarrier\b";
        var violations = new Violations();
        foreach (SourceFile file in SourceTree.CSharp)
        {
            bool isBound = file.Path.StartsWith("engine/Paging/", StringComparison.Ordinal)
                && !file.Path.StartsWith("engine/Paging/Core/", StringComparison.Ordinal);
            if (isBound) Report(violations, file, Atomics, "shared accesses go through Shared, waits through Wait");
        }
        violations.AssertNone();
    }

    [Test]
    public void TheEngineCatchesNothing()
    {
        var violations = new Violations(s_catches);
        foreach (SourceFile file in SourceTree.CSharp)
        {
            if (!file.Path.StartsWith("engine/", StringComparison.Ordinal)) continue;
            Report(violations, file, @"\bcatch\b", "an outcome is a status; an exception is for the host");
        }
        violations.AssertNone();
    }

    private static void Report(Violations violations, SourceFile file, string pattern, string reason)
    {
        foreach (Match match in Regex.Matches(file.Code, pattern))
        {
            string where = file.Path + ":" + file.LineOf(match.Index);
            violations.Add(file.Path, where + ": '" + match.Value.Trim() + "': " + reason + ".");
        }
    }

    private static SourceFile? Find(string path)
    {
        foreach (SourceFile file in SourceTree.CSharp)
        {
            if (file.Path == path) return file;
        }
        return null;
    }

    private static bool StartsWithAny(string path, string[] prefixes)
    {
        foreach (string prefix in prefixes)
        {
            if (path.StartsWith(prefix, StringComparison.Ordinal)) return true;
        }
        return false;
    }
}
