using System;
using System.IO;
using Pagoda.Machine.Replay;
using Pagoda.PageTables;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Machine.Replay;

/// <summary>Replays of a made-up program of about 330 pages.</summary>
internal static class ReplayFixture
{
    public const ulong PageBytes = 4096;
    public const ulong MemoryPages = 512;
    public const int Accesses = 120_000;

    /// <summary>The program; the same every time.</summary>
    public static TraceRecord[] Program() => TraceTexts.Program(new SeededGenerator(42), Accesses, heapPages: 300);

    /// <summary>A small guest.</summary>
    /// <param name="residentPages">0 for all.</param>
    public static ReplayOptions Options(ulong residentPages = 0, TableKind tables = TableKind.Ept,
        bool hardwareAd = true, bool superpages = true, ulong seed = 1, bool verify = true) => new()
    {
        MemoryBytes = MemoryPages * PageBytes,
        ArenaBytes = 8UL << 20,
        Tables = tables,
        HardwareAd = hardwareAd,
        Superpages = superpages,
        ResidentBytes = residentPages * PageBytes,
        Swap = residentPages == 0 ? null : Path.Combine(Path.GetTempPath(), "pagoda-" + Path.GetRandomFileName()),
        Seed = seed,
        Verify = verify,
    };

    /// <summary>Replays accesses.</summary>
    public static ReplayResult Run(ReplayOptions options, ReadOnlySpan<TraceRecord> records)
    {
        using var stream = new MemoryStream(TraceTexts.Compact(records));
        using var input = new TraceInput(stream);
        using var replay = new TraceReplay(options);
        return replay.Run(new CompactReader(input));
    }
}
