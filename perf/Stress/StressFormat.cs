using Pagoda.PageTables;

namespace Pagoda.Perf.Stress;

/// <summary>A table format that the stress runs with.</summary>
internal sealed record StressFormat(string Name, TableKind Tables, bool HardwareAd, int Levels, SuperpagePolicy Policy)
{
    public static readonly StressFormat[] All =
    [
        new("EPT", TableKind.Ept, true, 4, SuperpagePolicy.Fixed),
        new("EPT without A/D", TableKind.Ept, false, 4, SuperpagePolicy.Fixed),
        new("EPT, five levels", TableKind.Ept, true, 5, SuperpagePolicy.Fixed),
        new("NPT", TableKind.Rvi, true, 4, SuperpagePolicy.Fixed),
        new("EPT, superpages", TableKind.Ept, true, 4, SuperpagePolicy.Superpage),
        new("NPT, superpages", TableKind.Rvi, true, 4, SuperpagePolicy.Superpage),
        new("x86", TableKind.X86, true, 4, SuperpagePolicy.Fixed),
    ];

    public GuestOptions Options() => new()
    {
        Tables = Tables,
        HardwareAd = HardwareAd,
        Levels = Levels,
        Policy = Policy,
        Consumers = 8,
    };

    public override string ToString() => Name;
}
