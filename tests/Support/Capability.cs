using System;
using System.IO;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using NUnit.Framework;

namespace Pagoda.Tests.Support;

/// <summary>
/// What a test may need and this machine may lack. Each member skips the running test with the reason when it lacks it.
/// </summary>
public static class Capability
{
    /// <summary>The 64-bit memory tester of Debian's package memtest86+, where the packages install it.</summary>
    private static readonly string[] s_memoryTesters =
    [
        RepositoryRoot.At(".cache/guests/memtest86+x64.bin"),
        RepositoryRoot.At(".cache/memtest86+x64.bin"),
        "/boot/memtest86+x64.bin",
    ];

    /// <summary>Skips unless 32-byte vectors are on.</summary>
    public static void RequireVector256()
    {
        if (!Avx2.IsSupported) Assert.Ignore("Needs AVX2, which this processor or this run has not.");
    }

    /// <summary>Skips unless 64-byte vectors are on.</summary>
    public static void RequireVector512()
    {
        if (!Vector512.IsHardwareAccelerated) Assert.Ignore("Needs AVX-512, which this processor or this run has not.");
    }

    /// <summary>The path of the memory tester's 64-bit kernel; skips when it is not on this machine.</summary>
    public static string RequireMemoryTester()
    {
        foreach (string path in s_memoryTesters)
        {
            if (File.Exists(path)) return path;
        }
        Assert.Ignore("Needs the 64-bit memtest86+ kernel: run tools/fetch-guests.");
        return "";
    }

    /// <summary>The path of a program on PATH; skips when it is not installed.</summary>
    public static string RequireProgram(string name)
    {
        foreach (string folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'))
        {
            string path = Path.Combine(folder, name);
            if (File.Exists(path)) return path;
        }
        Assert.Ignore("Needs the program " + name + ", which is not installed here.");
        return "";
    }
}
