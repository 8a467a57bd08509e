using System;
using System.Collections.Generic;
using System.IO;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Gates;

/// <summary>The files of the source tree, without what builds and tools leave behind.</summary>
internal static class SourceTree
{
    private static readonly HashSet<string> s_leftOut = new(StringComparer.Ordinal)
    {
        ".git", ".cache", ".vs", ".idea", "bin", "obj", "artifacts", "TestResults", "BenchmarkDotNet.Artifacts",
    };

    private static readonly HashSet<string> s_textExtensions = new(StringComparer.Ordinal)
    {
        "", ".cs", ".csproj", ".props", ".targets", ".md", ".txt", ".json", ".sh", ".sln", ".py", ".c", ".h",
        ".editorconfig", ".gitignore", ".gitattributes",
    };

    /// <summary>Every text file, by its path from the root with forward slashes, in order.</summary>
    public static IReadOnlyList<string> TextFiles { get; } = FindTextFiles();

    /// <summary>Every C# file, read and lexed once.</summary>
    public static IReadOnlyList<SourceFile> CSharp { get; } = ReadCSharp();

    private static List<string> FindTextFiles()
    {
        var found = new List<string>();
        Collect(new DirectoryInfo(RepositoryRoot.Path), "", found);
        found.Sort(StringComparer.Ordinal);
        return found;
    }

    private static void Collect(DirectoryInfo folder, string prefix, List<string> found)
    {
        foreach (FileInfo file in folder.EnumerateFiles())
        {
            // A work tree keeps a file named .git where a clone keeps a folder.
            bool isText = s_textExtensions.Contains(file.Extension) && !s_leftOut.Contains(file.Name);
            if (isText) found.Add(prefix + file.Name);
        }
        foreach (DirectoryInfo child in folder.EnumerateDirectories())
        {
            if (!s_leftOut.Contains(child.Name)) Collect(child, prefix + child.Name + "/", found);
        }
    }

    private static List<SourceFile> ReadCSharp()
    {
        var files = new List<SourceFile>();
        foreach (string path in TextFiles)
        {
            if (path.EndsWith(".cs", StringComparison.Ordinal))
            {
                files.Add(new SourceFile(path, File.ReadAllText(RepositoryRoot.At(path))));
            }
        }
        return files;
    }
}
