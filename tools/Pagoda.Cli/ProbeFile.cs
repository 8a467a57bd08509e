using System;
using System.Collections.Generic;
using System.IO;
using Pagoda.Core;
using Pagoda.PageTables;

namespace Pagoda.Cli;

/// <summary>Reads a file of probes, one a line: an operation and an address. Blanks and # comments count not.</summary>
internal static class ProbeFile
{
    private static readonly char[] s_blanks = [' ', '\t'];

    /// <summary>Reads all probes.</summary>
    /// <exception cref="CliException">The file cannot be read, or a line is no probe.</exception>
    internal static Probe[] Read(string path)
    {
        var probes = new List<Probe>();
        try
        {
            int number = 0;
            foreach (string line in File.ReadLines(path))
            {
                number++;
                if (TryParse(path, number, line, out Probe probe)) probes.Add(probe);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CliException("--probe: " + exception.Message + " Name a file that can be read.", exception);
        }
        return [.. probes];
    }

    /// <summary>Refuses probes that a format has not.</summary>
    /// <exception cref="CliException">A user-mode probe of nested tables.</exception>
    internal static void Check(string path, Probe[] probes, in WalkFormat format)
    {
        if (format.Table == WalkTable.X86Long) return;
        foreach (Probe probe in probes)
        {
            if (!probe.IsUser) continue;
            throw Refusal(path, probe.Line, "'" + probe.Op + "' is for x86 tables; nested ones take r, w and x");
        }
    }

    private static bool TryParse(string path, int number, string line, out Probe probe)
    {
        probe = default;
        int comment = line.IndexOf('#', StringComparison.Ordinal);
        string text = comment < 0 ? line : line[..comment];
        string[] words = text.Split(s_blanks, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (words.Length == 0) return false;
        if (words.Length != 2) throw Refusal(path, number, "a probe is an operation and an address");
        Prot access = words[0] switch
        {
            "r" or "ru" => Prot.Read,
            "w" or "wu" => Prot.Write,
            "x" or "xu" => Prot.Execute,
            _ => throw Refusal(path, number, "'" + words[0] + "' is none of r, w, x, ru, wu, xu"),
        };
        if (!Hex.TryParse(words[1], out ulong address))
        {
            throw Refusal(path, number, "'" + words[1] + "' is not a 64-bit hexadecimal address");
        }
        probe = new Probe(number, words[0], access, words[0].Length == 2, address);
        return true;
    }

    private static CliException Refusal(string path, int line, string reason) =>
        new("--probe: " + path + " line " + line + ": " + reason + ".");
}
