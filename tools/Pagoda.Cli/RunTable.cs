using System;
using System.Globalization;
using System.IO;
using Pagoda.Diagnostics;
using Pagoda.Machine;
using Spectre.Console;

namespace Pagoda.Cli;

/// <summary>A run's numbers as a table for people.</summary>
internal static class RunTable
{
    private const int WidthMin = 60;

    /// <summary>Writes the table.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="isTerminal">Whether colours and box drawing are welcome.</param>
    /// <param name="result">The run.</param>
    /// <param name="isObserved">Whether a live line was shown, whose allocations are not in the numbers.</param>
    internal static void Write(TextWriter writer, bool isTerminal, RunResult result, bool isObserved)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = isTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(writer),
        });
        if (!isTerminal) console.Profile.Width = WidthMin;
        Table table = new Table().Border(isTerminal ? TableBorder.Rounded : TableBorder.Ascii);
        table.AddColumn("run").AddColumn(new TableColumn(Markup.Escape(RunReport.NameOf(result.End))).RightAligned());
        AddRun(table, result, isObserved);
        AddCounters(table, result);
        console.WriteLine();
        console.Write(table);
    }

    private static void AddRun(Table table, RunResult result, bool isObserved)
    {
        Add(table, "elapsed", result.Elapsed.TotalSeconds.ToString("N3", CultureInfo.InvariantCulture) + " s");
        Add(table, "guest time", (result.VirtualNanoseconds / 1e9).ToString("N3", CultureInfo.InvariantCulture) + " s");
        Add(table, "guest instructions", Text(result.GuestInstructions));
        if (result.ProcessorInstructions.Length > 1) Add(table, "of each processor", Each(result));
        Add(table, "million instructions a second", result.GuestMips.ToString("N1", CultureInfo.InvariantCulture));
        string bytes = result.ManagedBytesAllocated.ToString("N0", CultureInfo.InvariantCulture);
        string note = isObserved ? " (live line excluded)" : "";
        Add(table, "managed bytes allocated" + note, bytes);
        Add(table, "garbage collections" + note, Text((ulong)result.GcCollections));
    }

    // A processor a line; of many the least and the most.
    private static string Each(RunResult result)
    {
        const int ShownMax = 8;
        ulong[] each = result.ProcessorInstructions.ToArray();
        if (each.Length <= ShownMax) return string.Join('\n', Array.ConvertAll(each, Text));
        Array.Sort(each);
        return Text(each[0]) + " to " + Text(each[^1]);
    }

    private static void AddCounters(Table table, RunResult result)
    {
        GuestCounters counters = result.Counters;
        Add(table, "nested faults", Text(counters.NestedFaults));
        Add(table, "spurious faults", Text(counters.SpuriousFaults));
        Add(table, "accessed, dirty emulations",
            Text(counters.AccessedEmulations + counters.SuperpageAccessedEmulations) + ", "
            + Text(counters.DirtyEmulations));
        Add(table, "MMIO, port exits", Text(result.MmioExits) + ", " + Text(result.IoExits));
        Add(table, "accesses that nothing answered", Text(result.UnclaimedAccesses));
        Add(table, "invalidations, kicks", Text(counters.Invalidations) + ", " + Text(counters.Kicks));
        Add(table, "holds, releases", Text(counters.Holds) + ", " + Text(counters.Releases));
        Add(table, "resident, wired, table pages", Text(counters.ResidentPages) + ", " + Text(counters.WiredPages)
            + ", " + Text(counters.TablePages));
        Add(table, "promotions, failed ones, demotions", Text(counters.Promotions) + ", "
            + Text(counters.PromotionFailures) + ", " + Text(counters.Demotions));
        Add(table, "resident pages in superpages",
            counters.SuperpageCoverage.ToString("P1", CultureInfo.InvariantCulture));
        Add(table, "pages swapped in, out", Text(counters.SwapIns) + ", " + Text(counters.SwapOuts));
        Add(table, "evictions without I/O: clean, zero", Text(counters.CleanEvictions) + ", "
            + Text(counters.ZeroPagesElided));
        if (counters.PoisonedPages != 0) Add(table, "pages lost", Text(counters.PoisonedPages));
    }

    private static void Add(Table table, string name, string value) =>
        table.AddRow(Markup.Escape(name), Markup.Escape(value));

    private static string Text(ulong value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
