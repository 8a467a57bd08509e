using System;
using System.CommandLine;
using Pagoda.Machine;

namespace Pagoda.Cli;

/// <summary>The options of <c>pagoda run</c>, and their values once checked one by one.</summary>
internal sealed class RunArguments : GuestArguments
{
    private static readonly Option<string?> s_kernel = new("--kernel")
    {
        HelpName = "FILE",
        Description = "The Linux bzImage to boot. Without it the built-in guest checks all its memory.",
    };

    private static readonly Option<string?> s_append = new("--append")
    {
        HelpName = "TEXT", Description = "The kernel's command line.",
    };

    private static readonly Option<string> s_cpus = new("--cpus")
    {
        HelpName = "N", Description = "Virtual processors, up to 64.", DefaultValueFactory = _ => "1",
    };

    private static readonly Option<bool> s_threads = new("--threads")
    {
        Description = "A host thread for each processor; without it they take turns, and runs repeat exactly.",
    };

    private static readonly Option<string?> s_until = new("--until")
    {
        HelpName = "TEXT", Description = "End the run when the serial console's bytes contain TEXT.",
    };

    private static readonly Option<string?> s_timeout = new("--timeout")
    {
        HelpName = "TIME", Description = "End the run after this time: 90s, 10m, 1h30m. [default: never]",
    };

    private static readonly Option<string?> s_json = new("--json")
    {
        HelpName = "FILE", Description = "Write the run's numbers to FILE as JSON.",
    };

    private static readonly Option<string?> s_dump = new("--dump")
    {
        HelpName = "FILE", Description = "Write the engine's memory at the end to FILE as an ELF core.",
    };

    private static readonly Option<bool> s_quiet = new("--quiet")
    {
        Description = "No live line and no table; the console stays.",
    };

    private RunArguments(ParseResult parsed)
        : base(parsed, ParseCpus(parsed.GetValue(s_cpus) ?? ""))
    {
        Kernel = Text(parsed, s_kernel);
        Append = parsed.GetValue(s_append);
        Until = Text(parsed, s_until);
        Timeout = ParseTimeout(parsed.GetValue(s_timeout));
        Json = Text(parsed, s_json);
        Dump = Text(parsed, s_dump);
        Quiet = parsed.GetValue(s_quiet);
        Cpus = ParseCpus(parsed.GetValue(s_cpus) ?? "");
        Threads = parsed.GetValue(s_threads);
        RequireSense();
    }

    /// <summary>The kernel's path; null for the built-in guest.</summary>
    internal string? Kernel { get; }

    /// <summary>The kernel's command line; null when none was given.</summary>
    internal string? Append { get; }

    /// <summary>Virtual processors, 1 to <see cref="MachineOptions.ProcessorsMax"/>.</summary>
    internal int Cpus { get; }

    /// <summary>Each has a host thread.</summary>
    internal bool Threads { get; }

    /// <summary>The text that ends the run; null for none.</summary>
    internal string? Until { get; }

    /// <summary>The time limit; null for none.</summary>
    internal TimeSpan? Timeout { get; }

    /// <summary>The path of the JSON report; null for none.</summary>
    internal string? Json { get; }

    /// <summary>The path of the core; null for none.</summary>
    internal string? Dump { get; }

    /// <summary>Neither live line nor table.</summary>
    internal bool Quiet { get; }

    /// <summary>Adds the options to a command.</summary>
    internal static void AddTo(Command command)
    {
        Option[] options =
            [s_kernel, s_append, .. MemoryOptions, s_cpus, s_threads, s_until, s_timeout, s_json, s_dump, s_quiet];
        foreach (Option option in options) command.Add(option);
    }

    /// <summary>Reads and checks the values.</summary>
    /// <exception cref="CliException">A value is wrong; the message names its option.</exception>
    internal static RunArguments From(ParseResult parsed) => new(parsed);

    private static TimeSpan? ParseTimeout(string? text)
    {
        if (text is null) return null;
        if (Quantity.TryParseDuration(text, out TimeSpan duration)) return duration;
        throw new CliException(s_timeout.Name + " '" + text + "' is no time: use for example 90s, 10m or 1h30m.");
    }

    private static int ParseCpus(string text)
    {
        if (Quantity.TryParseSize(text, out ulong count) && count is >= 1 and <= MachineOptions.ProcessorsMax)
        {
            return (int)count;
        }
        throw new CliException(s_cpus.Name + " '" + text + "' is no number of processors: use 1 to "
            + MachineOptions.ProcessorsMax + ".");
    }

    private void RequireSense()
    {
        if (Kernel is null && Append is not null)
        {
            throw new CliException(s_append.Name + ": the built-in guest takes no command line; give --kernel, or "
                + "leave it out.");
        }
        bool isSameFile = Json is not null && Dump is not null
            && System.IO.Path.GetFullPath(Json) == System.IO.Path.GetFullPath(Dump);
        if (isSameFile) throw new CliException("--json and --dump name the same file: use two.");
    }
}
