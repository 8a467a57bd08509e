using System.CommandLine;
using System.Globalization;
using Pagoda.Machine.Dump;
using Pagoda.PageTables;

namespace Pagoda.Cli;

/// <summary>The options of <c>pagoda inspect</c> and the rules between them.</summary>
internal sealed class InspectOptionSet
{
    private readonly Option<string?> _walk = new("--walk")
    {
        Description = "Explain the translation of one address, entry by entry.",
        HelpName = "GPA",
    };

    private readonly Option<string?> _probe = new("--probe")
    {
        Description = "Perform the accesses in FILE on a copy, one a line: r|w|x HEXADDRESS; x86 also ru|wu|xu.",
        HelpName = "FILE",
    };

    private readonly Option<bool> _json = new("--json") { Description = "Answer in JSON; one object a probe." };

    private readonly Option<bool> _raw = new("--raw") { Description = "FILE is a flat image of physical memory." };

    private readonly Option<string?> _format = new("--format")
    {
        Description = "With --raw: the tables are ept, npt or x86.",
        HelpName = "ept|npt|x86",
    };

    private readonly Option<string?> _root = new("--root")
    {
        Description = "The whole root register (EPTP, nCR3, CR3), or a bare table address.",
        HelpName = "HEX",
    };

    private readonly Option<string?> _levels = new("--levels")
    {
        Description = "With --raw: levels of the tables; 4 unless the register says.",
        HelpName = "4|5",
    };

    private readonly Option<bool> _noAccessedDirty = new("--no-ad")
    {
        Description = "With --raw --format ept: clear EPTP bit 6, accessed and dirty flags.",
    };

    private readonly Option<string?> _physBits = new("--phys-bits")
    {
        Description = "With --raw: bits of a physical address, 32 to 52; 46 unless given.",
        HelpName = "N",
    };

    private readonly Option<bool> _noWriteProtect = new("--no-wp") { Description = "With --raw: CR0.WP is clear." };

    private readonly Option<bool> _noNoExecute = new("--no-nxe") { Description = "With --raw: EFER.NXE is clear." };

    private readonly Option<bool> _smep = new("--smep") { Description = "With --raw --format x86: CR4.SMEP is set." };

    private readonly Option<bool> _smap = new("--smap") { Description = "With --raw --format x86: CR4.SMAP is set." };

    /// <summary>Gives the command its options.</summary>
    internal void AddTo(Command command)
    {
        foreach (Option option in (Option[])[_walk, _probe, _json, _raw, .. RawOnly, _root]) command.Add(option);
    }

    /// <summary>The options as chosen.</summary>
    /// <exception cref="CliException">One cannot be understood, or two contradict.</exception>
    internal InspectOptions Read(ParseResult parsed, string file)
    {
        var options = new InspectOptions
        {
            File = file,
            Walk = ReadHex(parsed, _walk, "give an address, as in 0x7f000"),
            Probe = parsed.GetValue(_probe),
            Json = parsed.GetValue(_json),
            IsRaw = parsed.GetValue(_raw),
            Format = ReadFormat(parsed),
            Root = ReadHex(parsed, _root, "give the root register, as in 0x105e"),
            Levels = ReadNumber(parsed, _levels, 4, 5),
            NoAccessedDirty = parsed.GetValue(_noAccessedDirty),
            PhysBits = ReadNumber(parsed, _physBits, WalkFormat.PhysBitsMin, WalkFormat.PhysBitsMax)
                ?? InspectOptions.PhysBitsDefault,
            NoWriteProtect = parsed.GetValue(_noWriteProtect),
            NoNoExecute = parsed.GetValue(_noNoExecute),
            Smep = parsed.GetValue(_smep),
            Smap = parsed.GetValue(_smap),
        };
        if (options.Walk is not null && options.Probe is not null)
        {
            throw new CliException("--walk and --probe: give one of them.");
        }
        CheckRaw(parsed, options);
        return options;
    }

    private Option[] RawOnly =>
        [_format, _levels, _noAccessedDirty, _physBits, _noWriteProtect, _noNoExecute, _smep, _smap];

    private void CheckRaw(ParseResult parsed, InspectOptions options)
    {
        if (!options.IsRaw)
        {
            foreach (Option option in RawOnly)
            {
                if (parsed.GetResult(option) is not { Implicit: false }) continue;
                throw new CliException(option.Name + " goes with --raw: a core's own note says it.");
            }
            return;
        }
        if (options.Format is null) throw new CliException("--raw needs --format: ept, npt or x86.");
        if (options.Root is null) throw new CliException("--raw needs --root: the root register in hexadecimal.");
        if (options.Format != RootKind.Ept) Refuse(options.NoAccessedDirty, _noAccessedDirty, "ept");
        if (options.Format != RootKind.X86)
        {
            Refuse(options.Smep, _smep, "x86");
            Refuse(options.Smap, _smap, "x86");
        }
        if (options.Format == RootKind.Ept)
        {
            Refuse(options.NoWriteProtect, _noWriteProtect, "x86");
            Refuse(options.NoNoExecute, _noNoExecute, "npt or x86");
        }
    }

    private static void Refuse(bool isGiven, Option option, string formats)
    {
        if (isGiven) throw new CliException(option.Name + " goes with --format " + formats + ".");
    }

    private static ulong? ReadHex(ParseResult parsed, Option<string?> option, string advice)
    {
        string? text = parsed.GetValue(option);
        if (text is null) return null;
        if (Hex.TryParse(text, out ulong value)) return value;
        throw new CliException(option.Name + ": '" + text + "' is not a 64-bit hexadecimal number; " + advice + ".");
    }

    private static int? ReadNumber(ParseResult parsed, Option<string?> option, int least, int most)
    {
        string? text = parsed.GetValue(option);
        if (text is null) return null;
        bool isNumber = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value);
        if (isNumber && value >= least && value <= most) return value;
        throw new CliException(option.Name + ": '" + text + "' is not a number from " + least + " to " + most + ".");
    }

    private RootKind? ReadFormat(ParseResult parsed)
    {
        string? text = parsed.GetValue(_format);
        return text switch
        {
            null => null,
            "ept" => RootKind.Ept,
            "npt" => RootKind.Npt,
            "x86" => RootKind.X86,
            _ => throw new CliException("--format: '" + text + "' is none of ept, npt, x86."),
        };
    }
}
