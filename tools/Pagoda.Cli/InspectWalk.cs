using System.Collections.Generic;
using System.Globalization;
using System.IO;
using Pagoda.Core;
using Pagoda.Machine.Dump;
using Pagoda.PageTables;

namespace Pagoda.Cli;

/// <summary>Explains one translation: every entry from the root down, and what each kind of access would do.</summary>
internal static class InspectWalk
{
    private sealed record Step(int Level, int Index, ulong At, ulong Entry, string Meaning);

    /// <summary>Explains the translation of <paramref name="address"/>; changes nothing.</summary>
    internal static void Run(PhysicalImage image, InspectRoot root, ulong address, bool json, TextWriter output)
    {
        List<Step> steps = Descend(image, root, address);
        List<(string Op, WalkResult Result)> outcomes = Try(image, root, address);
        if (json) WriteJson(root, address, steps, outcomes, output);
        else WriteText(root, address, steps, outcomes, output);
    }

    private static List<Step> Descend(PhysicalImage image, InspectRoot root, ulong address)
    {
        var view = new InspectView(root);
        var steps = new List<Step>();
        if (!IsInReach(root, address)) return steps;
        ulong table = root.Format.Root;
        for (int level = root.Format.Levels; level >= 1; level--)
        {
            int index = (int)(address >> Paging.LevelShift(level)) & (Paging.EntriesPerTable - 1);
            ulong at = table + (ulong)index * sizeof(ulong);
            if (!image.TryReadEntry(at, out ulong entry))
            {
                steps.Add(new Step(level, index, at, 0, "outside the image"));
                break;
            }
            steps.Add(new Step(level, index, at, entry, view.Explain(entry, level)));
            EntryFacts facts = view.Describe(entry, level);
            if (facts.Kind != EntryKind.Table) break;
            table = facts.Address;
        }
        return steps;
    }

    private static bool IsInReach(InspectRoot root, ulong address)
    {
        int bits = root.Format.AddressBits;
        if (root.Facts.Kind != RootKind.X86) return address >> bits == 0;
        int sign = sizeof(ulong) * 8 - bits;
        return (ulong)((long)(address << sign) >> sign) == address;
    }

    private static List<(string Op, WalkResult Result)> Try(PhysicalImage image, InspectRoot root, ulong address)
    {
        var outcomes = new List<(string, WalkResult)>();
        SegmentedMemory memory = image.Memory(isReadOnly: true);
        (string Op, Prot Access)[] accesses = [("r", Prot.Read), ("w", Prot.Write), ("x", Prot.Execute)];
        foreach (bool isUser in (bool[])[false, true])
        {
            if (isUser && root.Facts.Kind != RootKind.X86) break;
            foreach ((string op, Prot access) in accesses)
            {
                Walker.Walk(ref memory, root.Format, address, access, isUser, WalkKind.FinalAccess,
                    out WalkResult result);
                outcomes.Add((isUser ? op + "u" : op, result));
            }
        }
        return outcomes;
    }

    private static void WriteText(InspectRoot root, ulong address, List<Step> steps,
        List<(string Op, WalkResult Result)> outcomes, TextWriter output)
    {
        string what = root.Facts.Kind == RootKind.X86 ? "linear address " : "GPA ";
        output.WriteLine(what + Hex.Text(address) + " in " + root.Title);
        if (steps.Count == 0)
        {
            output.WriteLine(root.Facts.Kind == RootKind.X86
                ? "  not canonical in " + root.Format.AddressBits + " bits"
                : "  beyond the " + root.Format.AddressBits + " bits that the tables translate");
        }
        foreach (Step step in steps)
        {
            string name = InspectView.NameOf(step.Level) + " " + step.Index.ToString(CultureInfo.InvariantCulture);
            output.WriteLine("  " + name.PadRight(10) + "at " + Hex.Text(step.At) + "  " + Hex.Wide(step.Entry) + "  "
                + step.Meaning);
        }
        foreach ((string op, WalkResult result) in outcomes)
        {
            output.WriteLine("  " + op.PadRight(3) + InspectProbe.Describe(in result));
        }
    }

    private static void WriteJson(InspectRoot root, ulong address, List<Step> steps,
        List<(string Op, WalkResult Result)> outcomes, TextWriter output)
    {
        JsonLine.Write(output, json =>
        {
            json.WriteString("address", Hex.Text(address));
            json.WriteString("register", Hex.Text(root.Facts.Register));
            json.WriteStartArray("entries");
            foreach (Step step in steps)
            {
                json.WriteStartObject();
                json.WriteString("name", InspectView.NameOf(step.Level));
                json.WriteNumber("index", step.Index);
                json.WriteString("hpa", Hex.Text(step.At));
                json.WriteString("entry", Hex.Text(step.Entry));
                json.WriteString("meaning", step.Meaning);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteStartObject("accesses");
            foreach ((string op, WalkResult result) in outcomes) json.WriteString(op, InspectProbe.Describe(in result));
            json.WriteEndObject();
        });
    }
}
