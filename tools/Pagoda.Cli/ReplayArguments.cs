using System.CommandLine;
using System.Globalization;

namespace Pagoda.Cli;

/// <summary>The arguments of <c>pagoda replay</c>, and their values once checked one by one.</summary>
internal sealed class ReplayArguments : GuestArguments
{
    private static readonly Argument<string> s_trace = new("TRACE")
    {
        Description = "What valgrind --tool=lackey --trace-mem=yes wrote, or a converted trace; - is standard input.",
    };

    private static readonly Option<string> s_seed = new("--seed")
    {
        HelpName = "N", Description = "What the stored values follow from.", DefaultValueFactory = _ => "0",
    };

    private static readonly Option<bool> s_verify = new("--verify")
    {
        Description = "Compare every byte that is read with a copy of the guest's memory.",
    };

    private static readonly Option<string?> s_convert = new("--convert")
    {
        HelpName = "FILE", Description = "Write the trace to FILE in the compact form, and replay nothing.",
    };

    private static readonly Option<string?> s_json = new("--json")
    {
        HelpName = "FILE", Description = "Write the replay's numbers to FILE as JSON.",
    };

    private static readonly Option<bool> s_quiet = new("--quiet") { Description = "No table." };

    private ReplayArguments(ParseResult parsed)
        : base(parsed)
    {
        Trace = parsed.GetValue(s_trace) ?? "";
        if (Trace.Length == 0) throw new CliException("TRACE is empty: name a file, or - for standard input.");
        string seed = parsed.GetValue(s_seed) ?? "";
        if (!ulong.TryParse(seed, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number))
        {
            throw new CliException(s_seed.Name + " '" + seed + "' is no number: give decimal digits.");
        }
        Seed = number;
        Verify = parsed.GetValue(s_verify);
        Convert = Text(parsed, s_convert);
        Json = Text(parsed, s_json);
        Quiet = parsed.GetValue(s_quiet);
        if (Convert is not null && (Json is not null || Verify || Swap is not null))
        {
            throw new CliException(s_convert.Name + " replays nothing: leave --json, --verify and --swap out.");
        }
    }

    /// <summary>The path of the trace; "-" for standard input.</summary>
    internal string Trace { get; }

    /// <summary>What the stored values follow from.</summary>
    internal ulong Seed { get; }

    /// <summary>Every byte that is read is compared.</summary>
    internal bool Verify { get; }

    /// <summary>The path of the converted trace; null to replay.</summary>
    internal string? Convert { get; }

    /// <summary>The path of the JSON report; null for none.</summary>
    internal string? Json { get; }

    /// <summary>No table.</summary>
    internal bool Quiet { get; }

    /// <summary>Adds argument and options to a command.</summary>
    internal static void AddTo(Command command)
    {
        command.Add(s_trace);
        Option[] options = [.. MemoryOptions, s_seed, s_verify, s_convert, s_json, s_quiet];
        foreach (Option option in options) command.Add(option);
    }

    /// <summary>Reads and checks the values.</summary>
    /// <exception cref="CliException">A value is wrong; the message names its option.</exception>
    internal static ReplayArguments From(ParseResult parsed) => new(parsed);
}
