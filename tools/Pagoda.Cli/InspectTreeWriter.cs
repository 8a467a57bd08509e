using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using Pagoda.Core;
using Pagoda.Machine.Dump;
using Pagoda.PageTables;

namespace Pagoda.Cli;

/// <summary>Writes the lines of a tree: one a run of like entries of a table, and what is below it indented.</summary>
/// <remarks>
/// Like are: holes; leaves with equal rights, bits and type; tables all of whose leaves are alike. A table that was
/// written before is named only, so each table costs its lines once; after <see cref="LinesMax"/> lines it stops.
/// </remarks>
internal sealed class InspectTreeWriter(
    PhysicalImage image, InspectRoot root, InspectView view, InspectScan scan, TextWriter output)
{
    /// <summary>The most lines of one tree.</summary>
    internal const int LinesMax = 4000;

    private const int NameWidth = 16;

    private readonly HashSet<(ulong Hpa, int Level)> _written = [];
    private int _lines;

    /// <summary>What makes an entry a run with the next one.</summary>
    private readonly record struct Likeness(
        EntryKind Kind, Prot Rights, bool IsUser, bool IsAccessed, bool IsDirty, string Type, LeafClass? Below);

    /// <summary>Writes the whole tree.</summary>
    internal void Write()
    {
        WriteTable(root.Format.Root, root.Format.Levels, 0, Prot.All, true, "  ");
        if (_lines < LinesMax) return;
        output.WriteLine("  ... more than " + LinesMax + " lines; the counts below are of all.");
    }

    private void WriteTable(ulong hpa, int level, ulong address, Prot rights, bool isUser, string indent)
    {
        var entries = new ulong[Paging.EntriesPerTable];
        int count = image.ReadTable(hpa, entries);
        int first = 0;
        while (first < count && _lines < LinesMax)
        {
            Likeness like = LikenessOf(entries[first], level, out ulong start);
            int end = first + 1;
            bool isContiguous = true;
            while (end < count && LikenessOf(entries[end], level, out ulong next) == like && IsFolded(in like))
            {
                isContiguous &= next == start + ((ulong)(end - first) << Paging.LevelShift(level));
                end++;
            }
            WriteRun(level, address, first, end, in like, isContiguous, entries[first], rights, isUser, indent);
            first = end;
        }
        if (count < entries.Length && _lines < LinesMax)
        {
            WriteLine(level, count, entries.Length, indent, "outside the image");
        }
    }

    /// <summary>Tables with different leaves below stand alone.</summary>
    private static bool IsFolded(in Likeness like) => like.Kind != EntryKind.Table || like.Below is not null;

    private Likeness LikenessOf(ulong entry, int level, out ulong start)
    {
        EntryFacts facts = view.Describe(entry, level);
        start = facts.Address;
        switch (facts.Kind)
        {
            case EntryKind.Absent:
            case EntryKind.Malformed:
                return new Likeness(facts.Kind, Prot.None, false, false, false, "", null);
            case EntryKind.Leaf:
                return new Likeness(facts.Kind, facts.Rights, facts.IsUser, facts.IsAccessed, facts.IsDirty,
                    view.MemoryTypeOf(in facts), null);
            default:
                return new Likeness(facts.Kind, facts.Rights, facts.IsUser, false, false, "",
                    scan.UniformClassOf(facts.Address, level - 1));
        }
    }

    private void WriteRun(int level, ulong address, int first, int end, in Likeness like, bool isContiguous,
        ulong entry, Prot rights, bool isUser, string indent)
    {
        string count = (end - first).ToString(CultureInfo.InvariantCulture);
        ulong at = address + ((ulong)first << Paging.LevelShift(level));
        ulong bytes = (ulong)(end - first) << Paging.LevelShift(level);
        string range = Hex.Text(Signed(at)) + "-" + Hex.Text(Signed(at + bytes - 1)) + "  ";
        EntryFacts facts = view.Describe(entry, level);
        rights &= like.Rights;
        isUser &= like.IsUser;
        switch (like.Kind)
        {
            case EntryKind.Absent:
                WriteLine(level, first, end, indent, range + "hole");
                break;
            case EntryKind.Malformed:
                WriteLine(level, first, end, indent, range + view.Explain(entry, level) + ": " + Hex.Text(entry));
                break;
            case EntryKind.Leaf:
                string target = isContiguous ? Hex.Text(facts.Address) : "scattered pages";
                string ad = view.AccessedDirty(like.IsAccessed, like.IsDirty);
                WriteLine(level, first, end, indent, range + count + " x " + InspectView.SizeOf(level) + "  "
                    + view.Rights(rights, isUser) + (ad.Length == 0 ? "" : " " + ad) + " " + like.Type + "  -> "
                    + target);
                break;
            default:
                if (end - first == 1) WriteBelow(level, first, at, range, in facts, rights, isUser, indent);
                else WriteTables(level, first, end, range, like.Below!.Value, rights, isUser, indent);
                break;
        }
    }

    private void WriteTables(
        int level, int first, int end, string range, LeafClass below, Prot rights, bool isUser, string indent)
    {
        string ad = view.AccessedDirty(below.IsAccessed, below.IsDirty);
        WriteLine(level, first, end, indent, range + (end - first).ToString(CultureInfo.InvariantCulture)
            + " tables full of " + InspectView.SizeOf(below.Level) + "  "
            + view.Rights(rights & below.Rights, isUser && below.IsUser) + (ad.Length == 0 ? "" : " " + ad));
    }

    private void WriteBelow(
        int level, int index, ulong at, string range, in EntryFacts facts, Prot rights, bool isUser, string indent)
    {
        bool isNew = _written.Add((facts.Address, level - 1));
        string more = isNew ? "" : " (as above)";
        WriteLine(level, index, index + 1, indent, range + "table " + Hex.Text(facts.Address) + more);
        if (isNew) WriteTable(facts.Address, level - 1, at, rights, isUser, indent + "  ");
    }

    private void WriteLine(int level, int first, int end, string indent, string text)
    {
        string name = InspectView.NameOf(level) + " " + first.ToString(CultureInfo.InvariantCulture)
            + (end - first > 1 ? "-" + (end - 1).ToString(CultureInfo.InvariantCulture) : "");
        output.WriteLine(indent + name.PadRight(NameWidth) + text);
        _lines++;
    }

    /// <summary>A linear address of the upper half has all its high bits set.</summary>
    private ulong Signed(ulong address)
    {
        if (root.Facts.Kind != RootKind.X86) return address;
        int shift = sizeof(ulong) * 8 - root.Format.AddressBits;
        return (ulong)((long)(address << shift) >> shift);
    }
}
