using System;
using System.IO;

namespace Pagoda.Tests.Support;

/// <summary>Finds the source tree that the running test assembly was built from.</summary>
public static class RepositoryRoot
{
    private const string Marker = "Engine.sln";

    /// <summary>The absolute path of the folder that holds the solution.</summary>
    public static string Path { get; } = Find(AppContext.BaseDirectory);

    /// <summary>The absolute path of a file or folder named from the root, with forward slashes.</summary>
    public static string At(string relative) => System.IO.Path.Combine(Path, relative);

    private static string Find(string start)
    {
        for (DirectoryInfo? folder = new(start); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(folder.FullName, Marker))) return folder.FullName;
        }
        throw new DirectoryNotFoundException("No " + Marker + " above " + start
            + ": run the tests from a build inside the source tree.");
    }
}
