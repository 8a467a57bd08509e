using System.Globalization;
using System.IO;
using Pagoda.Diagnostics;
using Pagoda.Machine;
using Spectre.Console;

namespace Pagoda.Cli;

/// <summary>The line at the bottom of the terminal that tells how a run is doing.</summary>
/// <remarks>
/// It saves the cursor, writes to the last row and goes back, and stays away while the guest's output stands inside a
/// control sequence: the guest's own screen is not disturbed. Its allocations are not in the run's numbers, and it says
/// so.
/// </remarks>
internal sealed class LiveLine : IRunObserver
{
    private const string ToLastRow = "\u001b7\u001b[999;1H\u001b[2K";
    private const string Back = "\u001b8";
    private readonly TextWriter _writer;
    private readonly IAnsiConsole _console;

    /// <summary>A line on the terminal behind <paramref name="writer"/>.</summary>
    internal LiveLine(TextWriter writer)
    {
        _writer = writer;
        _console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Interactive = InteractionSupport.No, Out = new AnsiConsoleOutput(writer),
        });
    }

    /// <inheritdoc/>
    public void Observe(in RunProgress progress)
    {
        if (progress.IsInsideControlSequence) return;
        double seconds = progress.Elapsed.TotalSeconds;
        double mips = seconds > 0 ? progress.GuestInstructions / seconds / 1e6 : 0;
        string text = string.Create(CultureInfo.InvariantCulture,
            $"{seconds,5:N0} s {progress.GuestInstructions / 1e6,9:N0} M instr. {mips,5:N0} MIPS "
            + $"{progress.Counters.NestedFaults,9:N0} faults{Swapped(progress.Counters)}  (line not measured)");
        int width = _console.Profile.Width - 1;
        if (text.Length > width) text = text[..width];
        _writer.Write(ToLastRow);
        _console.Write(new Text(text, new Style(decoration: Decoration.Invert)));
        _writer.Write(Back);
        _writer.Flush();
    }

    private static string Swapped(GuestCounters counters) => (counters.SwapIns | counters.SwapOuts) == 0
        ? ""
        : string.Create(CultureInfo.InvariantCulture, $", swap {counters.SwapIns:N0} in {counters.SwapOuts:N0} out");

    /// <summary>Takes the line away.</summary>
    internal void Clear()
    {
        _writer.Write(ToLastRow + Back);
        _writer.Flush();
    }
}
