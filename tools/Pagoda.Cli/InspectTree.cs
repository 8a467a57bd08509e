using System.Globalization;
using System.IO;
using Pagoda.Core;
using Pagoda.Machine.Dump;
using Spectre.Console;

namespace Pagoda.Cli;

/// <summary>Shows a whole tree: its lines, then a table of what it maps; or the latter as one JSON object.</summary>
internal static class InspectTree
{
    private const int TableWidth = 100;

    /// <summary>Shows the tree below <paramref name="root"/>.</summary>
    internal static void Run(PhysicalImage image, InspectRoot root, bool json, TextWriter output)
    {
        var view = new InspectView(root);
        var scan = new InspectScan(image, root, view);
        if (json)
        {
            WriteJson(root, view, scan, output);
            return;
        }
        output.WriteLine(root.Title);
        new InspectTreeWriter(image, root, view, scan, output).Write();
        output.WriteLine();
        WriteTable(view, scan, output);
        WriteRest(root, scan, output);
    }

    private static void WriteTable(InspectView view, InspectScan scan, TextWriter output)
    {
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumn("leaf").AddColumn("rights").AddColumn("A/D");
        table.AddColumn(new TableColumn("leaves").RightAligned()).AddColumn(new TableColumn("maps").RightAligned());
        foreach (ClassCount line in scan.Total)
        {
            if (!line.Class.IsLeaf) continue;
            string ad = view.AccessedDirty(line.Class.IsAccessed, line.Class.IsDirty);
            table.AddRow(InspectView.SizeOf(line.Class.Level), view.Rights(line.Class.Rights, line.Class.IsUser),
                ad.Length == 0 ? "off" : ad, line.Count.ToString(CultureInfo.InvariantCulture),
                Sizes.Text(line.Count << Paging.LevelShift(line.Class.Level)));
        }
        if (table.Rows.Count == 0)
        {
            output.WriteLine("nothing is mapped");
            return;
        }
        // Plain text of a fixed width: the answer is the same on a terminal and in a file.
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Out = new AnsiConsoleOutput(text),
        });
        console.Profile.Width = TableWidth;
        console.Write(table);
        foreach (string line in text.ToString().Split('\n'))
        {
            string trimmed = line.TrimEnd();
            if (trimmed.Length > 0) output.WriteLine(trimmed);
        }
    }

    private static void WriteRest(InspectRoot root, InspectScan scan, TextWriter output)
    {
        var tables = new System.Text.StringBuilder("tables:");
        for (int level = root.Format.Levels; level >= 1; level--)
        {
            tables.Append(level < root.Format.Levels ? ", " : " ").Append(scan.TablesOf(level)).Append(" of ")
                .Append(InspectView.NameOf(level)).Append('s');
        }
        output.WriteLine(tables);
        foreach (ClassCount line in scan.Total)
        {
            string count = line.Count.ToString(CultureInfo.InvariantCulture);
            if (line.Class == LeafClass.Hole)
            {
                output.WriteLine("holes: " + Sizes.Text(line.Count << Paging.PageShift));
            }
            if (line.Class == LeafClass.Malformed) output.WriteLine("malformed entries: " + count);
            if (line.Class == LeafClass.Outside) output.WriteLine("tables or entries outside the image: " + count);
        }
        if (!scan.IsComplete) output.WriteLine("There are more tables than are read: the counts are too low.");
    }

    private static void WriteJson(InspectRoot root, InspectView view, InspectScan scan, TextWriter output)
    {
        JsonLine.Write(output, json =>
        {
            json.WriteString("guest", root.Facts.Guest);
            json.WriteString("register", Hex.Text(root.Facts.Register));
            json.WriteNumber("levels", root.Facts.Levels);
            json.WriteNumber("physBits", root.Facts.PhysBits);
            json.WriteStartArray("tables");
            for (int level = root.Format.Levels; level >= 1; level--) json.WriteNumberValue(scan.TablesOf(level));
            json.WriteEndArray();
            json.WriteStartArray("leaves");
            foreach (ClassCount line in scan.Total)
            {
                if (!line.Class.IsLeaf) continue;
                json.WriteStartObject();
                json.WriteNumber("bytes", 1UL << Paging.LevelShift(line.Class.Level));
                json.WriteString("rights", view.Rights(line.Class.Rights, line.Class.IsUser));
                json.WriteBoolean("accessed", line.Class.IsAccessed);
                json.WriteBoolean("dirty", line.Class.IsDirty);
                json.WriteNumber("count", line.Count);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteNumber("holePages", CountOf(scan, LeafClass.Hole));
            json.WriteNumber("malformed", CountOf(scan, LeafClass.Malformed));
            json.WriteNumber("outside", CountOf(scan, LeafClass.Outside));
            json.WriteBoolean("complete", scan.IsComplete);
        });
    }

    private static ulong CountOf(InspectScan scan, LeafClass which)
    {
        foreach (ClassCount line in scan.Total)
        {
            if (line.Class == which) return line.Count;
        }
        return 0;
    }
}
