using System;
using System.Collections.Generic;
using System.IO;
using System.Text.RegularExpressions;
using NUnit.Framework;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Gates;

/// <summary>The form of the source tree: sizes, and words that have no place in it.</summary>
public sealed class TidyTests
{
    private const int FileLinesMax = 500;
    private const int LineColumnsMax = 120;
    private const int FunctionLinesMax = 70;

    private static readonly Dictionary<string, string> s_longFiles = new(StringComparer.Ordinal)
    {
        ["engine/Machine/Cpu/SoftVcpu.Execute.cs"] = "The interpreter's one switch, a case for each micro-operation.",
    };

    private static readonly Dictionary<string, string> s_longLines = new(StringComparer.Ordinal);

    private static readonly Dictionary<string, string> s_longFunctions = new(StringComparer.Ordinal)
    {
        ["engine/Machine/Cpu/SoftVcpu.Execute.cs Execute"] = "The interpreter's one switch keeps its state in locals.",
    };

    // Each entry is written so that this file does not match it.
    private static readonly (Regex Pattern, string Advice)[] s_bannedWords =
    [
        (new Regex(@"\b(TO" + @"DO|FIX" + @"ME|HA" + @"CK)\b"), "finish it, or leave it out"),
        (new Regex(@"\bfor " + @"now\b", RegexOptions.IgnoreCase), "say what is, not what may come"),
        (new Regex(@"\bsimpli" + @"fied\b", RegexOptions.IgnoreCase), "say exactly what is left out"),
        (new Regex(@"(?<![\w.])/(work|farm|root|home)/"), "paths of one machine have no place here"),
        (new Regex(@"\b(architecture|protocols|style|nested-paging|linux-guest)\.m" + "d"), "name files of this tree"),
        (new Regex(@"\b(spec|architecture|protocols?|style)(\.md)?\s+§"), "name files of this tree"),
        (new Regex(@"\bprotocols?\s+[PR][1-9]\b|\b[PR][1-9] step\b", RegexOptions.IgnoreCase), "say the rule itself"),
        (new Regex(@"\bissue #?[0-9]", RegexOptions.IgnoreCase), "say the reason itself"),
        (new Regex(@"\bhelper [A-Z]{3,}\b|\bcoordin" + @"ator\b"), "the project speaks of itself alone"),
    ];

    [Test]
    public void FilesAreAtMostFiveHundredLines()
    {
        var violations = new Violations(s_longFiles);
        foreach (SourceFile file in SourceTree.CSharp)
        {
            if (file.LineCount > FileLinesMax)
            {
                violations.Add(file.Path, file.Path + ": " + file.LineCount + " lines; split it by operation.");
            }
        }
        violations.AssertNone();
    }

    [Test]
    public void LinesAreAtMostOneHundredAndTwentyColumns()
    {
        var violations = new Violations(s_longLines);
        foreach (SourceFile file in SourceTree.CSharp)
        {
            for (int i = 0; i < file.Lines.Length; i++)
            {
                int columns = file.Lines[i].Length;
                if (columns <= LineColumnsMax) continue;
                violations.Add(file.Path, file.Path + ":" + (i + 1) + ": " + columns + " columns.");
            }
        }
        violations.AssertNone();
    }

    [Test]
    public void FunctionsAreAtMostSeventyLines()
    {
        var violations = new Violations(s_longFunctions);
        foreach (SourceFile file in SourceTree.CSharp)
        {
            foreach (SourceFunction function in file.Functions)
            {
                if (function.LineCount <= FunctionLinesMax) continue;
                violations.Add(file.Path + " " + function.Name, file.Path + ":" + function.Line + ": " + function.Name
                    + " has " + function.LineCount + " lines.");
            }
        }
        violations.AssertNone();
    }

    [Test]
    public void TextHasNoBannedWords()
    {
        var violations = new Violations();
        foreach (string path in SourceTree.TextFiles)
        {
            string[] lines = File.ReadAllLines(RepositoryRoot.At(path));
            for (int i = 0; i < lines.Length; i++)
            {
                foreach ((Regex pattern, string advice) in s_bannedWords)
                {
                    Match match = pattern.Match(lines[i]);
                    if (!match.Success) continue;
                    violations.Add(path, path + ":" + (i + 1) + ": '" + match.Value + "': " + advice + ".");
                }
            }
        }
        violations.AssertNone();
    }

    [Test]
    public void TextEndsInOneLineFeedAndHasNoTrailingBlanks()
    {
        var violations = new Violations();
        foreach (SourceFile file in SourceTree.CSharp)
        {
            string path = file.Path;
            if (file.Text.Contains('\r', StringComparison.Ordinal)) violations.Add(path, path + ": carriage returns.");
            if (!file.Text.EndsWith('\n')) violations.Add(path, path + ": no line feed at the end.");
            for (int i = 0; i < file.Lines.Length; i++)
            {
                if (file.Lines[i].EndsWith(' ')) violations.Add(path, path + ":" + (i + 1) + ": trailing blanks.");
            }
        }
        violations.AssertNone();
    }
}
