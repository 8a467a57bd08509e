using System;
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
    private const int WarmRounds = 40;

    /// <summary>
    /// Replays a trace of its own for a moment, in both forms, so that code is compiled and what is made once is made
    /// before a replay is measured.
    /// </summary>
    /// <param name="options">The replay to come. If it swaps, so does the small one, to a temporary file.</param>
    /// <exception cref="SwapException">There is no room for temporary files.</exception>
    public static void Warm(ReplayOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        bool swaps = options.Swap is not null;
        using TraceReplay replay = new(options with
        {
            MemoryBytes = WarmMemoryBytes,
            ArenaBytes = WarmArenaBytes,
            ResidentBytes = swaps ? ResidentBytesMin : 0,
            Swap = swaps ? Path.Combine(Path.GetTempPath(), "pagoda-" + Path.GetRandomFileName()) : null,
        });
        using var compact = new MemoryStream();
        using (var writer = new CompactWriter(compact))
        {
            using var text = new MemoryStream(WarmTrace());
            using var input = new TraceInput(text);
            var reader = new LackeyReader(input);
            var records = new TraceRecord[RecordsMax];
            for (int count; (count = reader.Read(records)) != 0;) writer.Write(records.AsSpan(0, count));
            writer.Flush();
        }
        compact.Position = 0;
        using var again = new TraceInput(compact);
        replay.Run(new CompactReader(again));
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
