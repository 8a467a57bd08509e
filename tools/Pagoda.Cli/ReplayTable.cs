using System.Globalization;
using System.IO;
using Pagoda.Diagnostics;
using Pagoda.Machine.Replay;
using Spectre.Console;

namespace Pagoda.Cli;

/// <summary>A replay's numbers as a table for people.</summary>
internal static class ReplayTable
{
    private const int WidthMin = 72;

    /// <summary>Writes the table.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="isTerminal">Whether colours and box drawing are welcome.</param>
    /// <param name="result">The replay.</param>
    internal static void Write(TextWriter writer, bool isTerminal, ReplayResult result)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = isTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(writer),
        });
        if (!isTerminal) console.Profile.Width = WidthMin;
        Table table = new Table().Border(isTerminal ? TableBorder.Rounded : TableBorder.Ascii);
        table.AddColumn("replay")
            .AddColumn(new TableColumn(Markup.Escape(ReplayReport.NameOf(result.End))).RightAligned());
        AddTrace(table, result);
        AddPaging(table, result);
        console.Write(table);
    }

    private static void AddTrace(Table table, ReplayResult result)
    {
        ulong[] accesses = result.Accesses;
        Add(table, "accesses", Text(result.AccessCount));
        Add(table, "fetches, loads, stores, modifies", Text(accesses[0]) + ", " + Text(accesses[1]) + ", "
            + Text(accesses[2]) + ", " + Text(accesses[3]));
        if (result.SkippedLines != 0) Add(table, "lines that are no accesses", Text(result.SkippedLines));
        Add(table, "elapsed", Text(result.Elapsed.TotalSeconds, "N3") + " s, "
            + Text(result.AccessesPerMicrosecond, "N1") + " million accesses a second");
        Add(table, "managed bytes, collections", Text((ulong)result.ManagedBytesAllocated) + ", "
            + Text((ulong)result.GcCollections));
        Add(table, "footprint", Text(result.FootprintPages) + " pages");
        foreach (WorkingSetPoint point in result.WorkingSet)
        {
            if (point.Windows == 0) continue;
            Add(table, "working set of " + Text(point.Accesses) + " accesses", "mean " + Text(point.MeanPages, "N1")
                + ", most " + Text(point.MaxPages));
        }
    }

    private static void AddPaging(Table table, ReplayResult result)
    {
        GuestCounters counters = result.Counters;
        Add(table, "TLB hits", Text(result.TlbHitRate, "P3"));
        Add(table, "walks, flushes", Text(result.Walks) + ", " + Text(result.TlbFlushes));
        Add(table, "nested faults, refaults", Text(counters.NestedFaults) + ", " + Text(result.Refaults));
        Add(table, "accessed, dirty emulations",
            Text(counters.AccessedEmulations + counters.SuperpageAccessedEmulations) + ", "
            + Text(counters.DirtyEmulations));
        Add(table, "pages swapped in, out", Text(counters.SwapIns) + ", " + Text(counters.SwapOuts));
        Add(table, "evictions without I/O: clean, zero", Text(counters.CleanEvictions) + ", "
            + Text(counters.ZeroPagesElided));
        Add(table, "promotions, failed ones, demotions", Text(counters.Promotions) + ", "
            + Text(counters.PromotionFailures) + ", " + Text(counters.Demotions));
        Add(table, "resident pages in superpages", Text(counters.SuperpageCoverage, "P1"));
    }

    private static void Add(Table table, string name, string value) =>
        table.AddRow(Markup.Escape(name), Markup.Escape(value));

    private static string Text(ulong value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
