using System;
using System.Diagnostics;
using System.IO;
using System.Text;
using Pagoda.Core;
using Pagoda.Pagers;

namespace Pagoda.Machine.Replay;

/// <summary>A small replay before one that is measured.</summary>
public sealed unsafe partial class TraceReplay
{
    private const ulong WarmMemoryBytes = 2UL << 20;
    private const ulong WarmArenaBytes = 8UL << 20;
    private const int WarmRounds = 8;
    private static readonly TimeSpan s_warmTime = TimeSpan.FromMilliseconds(400);

    /// <summary>
    /// Replays a trace of its own for some tenths of a second, in both forms, so that code is compiled and what is made
    /// once is made before a replay is measured.
    /// </summary>
    /// <param name="options">The replay to come. If it swaps, so do the small ones, to a temporary file.</param>
    /// <exception cref="SwapException">There is no room for temporary files.</exception>
    public static void Warm(ReplayOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        bool swaps = options.Swap is not null;
        ReplayOptions small = options with
        {
            MemoryBytes = WarmMemoryBytes,
            ArenaBytes = WarmArenaBytes,
            ResidentBytes = swaps ? ResidentBytesMin : 0,
            Swap = swaps ? Path.Combine(Path.GetTempPath(), "pagoda-" + Path.GetRandomFileName()) : null,
        };
        using var text = new MemoryStream(WarmTrace());
        using var compact = new MemoryStream();
        using (var writer = new CompactWriter(compact))
        {
            using var input = new TraceInput(text);
            var reader = new LackeyReader(input);
            var records = new TraceRecord[RecordsMax];
            for (int count; (count = reader.Read(records)) != 0;) writer.Write(records.AsSpan(0, count));
            writer.Flush();
        }
        // The runtime compiles better code in the background, a while after the first calls.
        long started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < s_warmTime)
        {
            WarmOnce(small, text, isCompact: false);
            WarmOnce(small, compact, isCompact: true);
        }
    }

    private static void WarmOnce(ReplayOptions options, MemoryStream trace, bool isCompact)
    {
        trace.Position = 0;
        using var input = new TraceInput(trace);
        using var replay = new TraceReplay(options);
        replay.Run(isCompact ? new CompactReader(input) : new LackeyReader(input));
    }

    private static byte[] WarmTrace()
    {
        var text = new StringBuilder("a line\n");
        // Some accesses cross into the page behind theirs.
        ulong pages = (WarmMemoryBytes >> Paging.PageShift) - 1;
        for (int i = 0; i < WarmRounds * (int)pages; i++)
        {
            ulong page = (ulong)i % pages << Paging.PageShift;
            text.Append(null, $"I  {page:x},3\n {"LSM"[i % 3]} {page | 0xFFD:x},{1 << (i & 3)}\n");
        }
        return Encoding.ASCII.GetBytes(text.ToString());
    }
}
