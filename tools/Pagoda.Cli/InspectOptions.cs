using Pagoda.Machine.Dump;

namespace Pagoda.Cli;

/// <summary>What an inspection was asked for, checked as far as it can be without the file.</summary>
internal sealed record InspectOptions
{
    /// <summary>The file to look into.</summary>
    internal required string File { get; init; }

    /// <summary>The address to explain.</summary>
    internal ulong? Walk { get; init; }

    /// <summary>The file of accesses to perform.</summary>
    internal string? Probe { get; init; }

    /// <summary>Answers are JSON.</summary>
    internal bool Json { get; init; }

    /// <summary>The file is a flat image.</summary>
    internal bool IsRaw { get; init; }

    /// <summary>Of a flat image: the format of its tables.</summary>
    internal RootKind? Format { get; init; }

    /// <summary>Of a flat image: the root register. Of a core: picks the root with that register.</summary>
    internal ulong? Root { get; init; }

    /// <summary>Of a flat image: levels of the tables.</summary>
    internal int? Levels { get; init; }

    /// <summary>Of EPT in a flat image: accessed and dirty flags are off.</summary>
    internal bool NoAccessedDirty { get; init; }

    /// <summary>Of a flat image: bits of a physical address.</summary>
    internal int PhysBits { get; init; } = PhysBitsDefault;

    /// <summary>CR0.WP is clear.</summary>
    internal bool NoWriteProtect { get; init; }

    /// <summary>EFER.NXE is clear.</summary>
    internal bool NoNoExecute { get; init; }

    /// <summary>CR4.SMEP.</summary>
    internal bool Smep { get; init; }

    /// <summary>CR4.SMAP.</summary>
    internal bool Smap { get; init; }

    /// <summary>The width that guests are told.</summary>
    internal const int PhysBitsDefault = 46;
}
