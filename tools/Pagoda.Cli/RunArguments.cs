using System;
using System.CommandLine;
using Pagoda.Machine;
using Pagoda.PageTables;
using Pagoda.Physical;

namespace Pagoda.Cli;

/// <summary>The options of <c>pagoda run</c>, and their values once checked one by one.</summary>
internal sealed class RunArguments
{
    private const string MemoryDefault = "64M";
    private const ulong ArenaRounding = 2UL << 20;
    private const ulong ArenaExtraMin = 2UL << 20;
    private const int ArenaExtraDivisor = 4;
    private const ulong ArenaBytesMax = ArenaOptions.BytesMax;

    private static readonly Option<string?> s_kernel = new("--kernel")
    {
        HelpName = "FILE",
        Description = "The Linux bzImage to boot. Without it the built-in guest checks all its memory.",
    };

    private static readonly Option<string?> s_append = new("--append")
    {
        HelpName = "TEXT", Description = "The kernel's command line.",
    };

    private static readonly Option<string> s_memory = new("--memory")
    {
        HelpName = "SIZE",
        Description = "The guest's memory in bytes, or with K, M, G or T: a multiple of 4K, at least 2M.",
        DefaultValueFactory = _ => MemoryDefault,
    };

    private static readonly Option<string?> s_arena = new("--arena")
    {
        HelpName = "SIZE",
        Description = "The engine's memory, which holds the guest's and its tables. [default: memory + 25 %]",
    };

    private static readonly Option<string> s_tables = new("--tables")
    {
        HelpName = "ept|npt", Description = "The format of the nested page tables.", DefaultValueFactory = _ => "ept",
    };

    private static readonly Option<bool> s_noHardwareAd = new("--no-hw-ad")
    {
        Description = "Emulate accessed and dirty bits, as on a processor without them (EPT).",
    };

    private static readonly Option<bool> s_noSuperpages = new("--no-superpages")
    {
        Description = "Map by 4 KiB pages only.",
    };

    private static readonly Option<string?> s_resident = new("--resident")
    {
        HelpName = "SIZE",
        Description = "How much memory the guest's pages and tables may take; the rest is swapped. Needs --swap.",
    };

    private static readonly Option<string?> s_swap = new("--swap")
    {
        HelpName = "FILE",
        Description = "The swap file or block device. A file that is not there is made, and gone after the run.",
    };

    private static readonly Option<bool> s_resetSwap = new("--reset-swap")
    {
        Description = "Use a swap file that a killed run left.",
    };

    private static readonly Option<string> s_policy = new("--policy")
    {
        HelpName = "fixed|superpage",
        Description = "When superpages are made: of windows that became full, or at the first write.",
        DefaultValueFactory = _ => "fixed",
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
    {
        Kernel = Text(parsed, s_kernel);
        Append = parsed.GetValue(s_append);
        MemoryBytes = Size(s_memory.Name, parsed.GetValue(s_memory) ?? "");
        ArenaBytes = parsed.GetValue(s_arena) is string arena ? Size(s_arena.Name, arena) : DefaultArena(MemoryBytes);
        Tables = ParseTables(parsed.GetValue(s_tables) ?? "");
        HardwareAd = !parsed.GetValue(s_noHardwareAd);
        Superpages = !parsed.GetValue(s_noSuperpages);
        ResidentBytes = parsed.GetValue(s_resident) is string resident ? Size(s_resident.Name, resident) : 0;
        Swap = Text(parsed, s_swap);
        ResetSwap = parsed.GetValue(s_resetSwap);
        Policy = ParsePolicy(parsed.GetValue(s_policy) ?? "");
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

    /// <summary>The guest's memory in bytes, whole pages.</summary>
    internal ulong MemoryBytes { get; }

    /// <summary>The arena in bytes, whole pages, not less than the memory.</summary>
    internal ulong ArenaBytes { get; }

    /// <summary>The format of the nested tables.</summary>
    internal TableKind Tables { get; }

    /// <summary>Accessed and dirty bits are the processor's.</summary>
    internal bool HardwareAd { get; }

    /// <summary>2 MiB leaves are allowed.</summary>
    internal bool Superpages { get; }

    /// <summary>What the guest may have resident, in bytes, whole pages; 0 for all its memory.</summary>
    internal ulong ResidentBytes { get; }

    /// <summary>The path of the swap file; null for none.</summary>
    internal string? Swap { get; }

    /// <summary>A swap file that a killed run left is used.</summary>
    internal bool ResetSwap { get; }

    /// <summary>When superpages are made.</summary>
    internal SuperpagePolicy Policy { get; }

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
        [
            s_kernel, s_append, s_memory, s_arena, s_tables, s_noHardwareAd, s_noSuperpages, s_policy, s_resident,
            s_swap, s_resetSwap, s_cpus, s_threads, s_until, s_timeout, s_json, s_dump, s_quiet,
        ];
        foreach (Option option in options) command.Add(option);
    }

    /// <summary>Reads and checks the values.</summary>
    /// <exception cref="CliException">A value is wrong; the message names its option.</exception>
    internal static RunArguments From(ParseResult parsed) => new(parsed);

    private static ulong DefaultArena(ulong memory)
    {
        ulong extra = Math.Max(memory / ArenaExtraDivisor, ArenaExtraMin);
        if (memory > ulong.MaxValue - extra - ArenaRounding) return memory;
        return (memory + extra + ArenaRounding - 1) / ArenaRounding * ArenaRounding;
    }

    private static string? Text(ParseResult parsed, Option<string?> option)
    {
        string? text = parsed.GetValue(option);
        if (text is null || text.Length > 0) return text;
        throw new CliException(option.Name + " is empty: give it a value, or leave it out.");
    }

    private static ulong Size(string option, string text)
    {
        if (!Quantity.TryParseSize(text, out ulong bytes))
        {
            throw new CliException(option + " '" + text + "' is no size: give bytes, or a number with K, M, G or T.");
        }
        if (bytes == 0) throw new CliException(option + " is zero: give it at least 2M.");
        if ((bytes & Core.Paging.PageOffsetMask) != 0)
        {
            throw new CliException(option + " '" + text + "' is not a whole number of pages: use a multiple of 4K.");
        }
        return bytes;
    }

    private static TableKind ParseTables(string text) => text switch
    {
        "ept" => TableKind.Ept,
        "npt" => TableKind.Rvi,
        _ => throw new CliException(s_tables.Name + " '" + text + "' is unknown: use ept or npt."),
    };

    private static SuperpagePolicy ParsePolicy(string text) => text switch
    {
        "fixed" => SuperpagePolicy.Fixed,
        "superpage" => SuperpagePolicy.Superpage,
        _ => throw new CliException(s_policy.Name + " '" + text + "' is unknown: use fixed or superpage."),
    };

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
        if (ArenaBytes > ArenaBytesMax)
        {
            throw new CliException(s_arena.Name + " " + ArenaBytes + " bytes are more than an arena can have, "
                + ArenaBytesMax + ": use less, for --memory too.");
        }
        if (Tables != TableKind.Ept && !HardwareAd)
        {
            throw new CliException(s_noHardwareAd.Name + ": NPT always has hardware accessed and dirty bits; leave it "
                + "out or use --tables ept.");
        }
        if (ResidentBytes != 0 && Swap is null)
        {
            throw new CliException(s_resident.Name + ": what does not stay resident needs a swap file; name one with "
                + s_swap.Name + ".");
        }
        if (Swap is not null && ResidentBytes == 0)
        {
            throw new CliException(s_swap.Name + ": nothing would go there; say with " + s_resident.Name
                + " how much may stay resident, or leave it out.");
        }
        if (ResetSwap && Swap is null)
        {
            throw new CliException(s_resetSwap.Name + ": there is no swap file; name one with " + s_swap.Name
                + ", or leave it out.");
        }
        if (Policy == SuperpagePolicy.Superpage && !Superpages)
        {
            throw new CliException(s_policy.Name + " superpage and " + s_noSuperpages.Name + " contradict each other: "
                + "leave one out.");
        }
        if (Kernel is null && Append is not null)
        {
            throw new CliException(s_append.Name + ": the built-in guest takes no command line; give --kernel, or "
                + "leave it out.");
        }
        if (MemoryBytes > ArenaBytes)
        {
            throw new CliException(s_memory.Name + " " + MemoryBytes + " bytes do not fit into the arena of "
                + ArenaBytes + " bytes: use a larger --arena or less memory.");
        }
        bool isSameFile = Json is not null && Dump is not null
            && System.IO.Path.GetFullPath(Json) == System.IO.Path.GetFullPath(Dump);
        if (isSameFile) throw new CliException("--json and --dump name the same file: use two.");
    }
}
