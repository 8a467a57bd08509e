using System;
using System.CommandLine;
using Pagoda.PageTables;
using Pagoda.Physical;

namespace Pagoda.Cli;

/// <summary>The options that say what a guest's memory is like, for every command that makes one.</summary>
internal abstract class GuestArguments
{
    private const string MemoryDefault = "64M";
    private const ulong ArenaRounding = 2UL << 20;
    private const ulong ArenaExtraMin = 2UL << 20;
    private const int ArenaExtraDivisor = 4;

    // Free frames that a processor keeps for itself, which others cannot have.
    private const ulong ArenaPerFurtherCpu = 2UL << 20;
    private const ulong ArenaBytesMax = ArenaOptions.BytesMax;

    private static readonly Option<string> s_memory = new("--memory")
    {
        HelpName = "SIZE",
        Description = "The guest's memory in bytes, or with K, M, G or T: a multiple of 4K, at least 2M.",
        DefaultValueFactory = _ => MemoryDefault,
    };

    private static readonly Option<string?> s_arena = new("--arena")
    {
        HelpName = "SIZE",
        Description = "The engine's memory, which holds the guest's and its tables. [default: memory + 25 %, and 2M "
            + "for each further processor]",
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
        Description = "How much of its memory the guest may have resident; the rest is swapped. Needs --swap.",
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

    /// <summary>Reads and checks the values.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="cpus">Virtual processors.</param>
    private protected GuestArguments(ParseResult parsed, int cpus = 1)
    {
        MemoryBytes = Size(s_memory.Name, parsed.GetValue(s_memory) ?? "");
        ArenaBytes = parsed.GetValue(s_arena) is string arena
            ? Size(s_arena.Name, arena)
            : DefaultArena(MemoryBytes, cpus);
        Tables = ParseTables(parsed.GetValue(s_tables) ?? "");
        HardwareAd = !parsed.GetValue(s_noHardwareAd);
        Superpages = !parsed.GetValue(s_noSuperpages);
        ResidentBytes = parsed.GetValue(s_resident) is string resident ? Size(s_resident.Name, resident) : 0;
        Swap = Text(parsed, s_swap);
        ResetSwap = parsed.GetValue(s_resetSwap);
        Policy = ParsePolicy(parsed.GetValue(s_policy) ?? "");
        RequireMemory();
        RequireSwap();
    }

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

    /// <summary>The options, in the order of the help.</summary>
    private protected static Option[] MemoryOptions =>
    [
        s_memory, s_arena, s_tables, s_noHardwareAd, s_noSuperpages, s_policy, s_resident, s_swap, s_resetSwap,
    ];

    private static ulong DefaultArena(ulong memory, int cpus)
    {
        ulong extra = Math.Max(memory / ArenaExtraDivisor, ArenaExtraMin) + ArenaPerFurtherCpu * (ulong)(cpus - 1);
        if (memory > ulong.MaxValue - extra - ArenaRounding) return memory;
        return (memory + extra + ArenaRounding - 1) / ArenaRounding * ArenaRounding;
    }

    private protected static string? Text(ParseResult parsed, Option<string?> option)
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

    private void RequireMemory()
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
        if (MemoryBytes > ArenaBytes)
        {
            throw new CliException(s_memory.Name + " " + MemoryBytes + " bytes do not fit into the arena of "
                + ArenaBytes + " bytes: use a larger --arena or less memory.");
        }
    }

    private void RequireSwap()
    {
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
    }
}
