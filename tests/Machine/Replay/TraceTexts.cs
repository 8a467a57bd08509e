using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using Pagoda.Machine.Replay;
using Pagoda.Tests.Support;

namespace Pagoda.Tests.Machine.Replay;

/// <summary>Traces that tests make up.</summary>
internal static class TraceTexts
{
    /// <summary>What valgrind would write for the accesses.</summary>
    public static string Text(ReadOnlySpan<TraceRecord> records)
    {
        var text = new StringBuilder();
        foreach (TraceRecord record in records)
        {
            string start = record.Kind switch
            {
                TraceKind.Fetch => "I  ",
                TraceKind.Load => " L ",
                TraceKind.Store => " S ",
                _ => " M ",
            };
            text.Append(null, $"{start}{record.Address:x8},{record.Size}\n");
        }
        return text.ToString();
    }

    /// <summary>Accesses as a program makes them: code in a few pages, a stack, a heap.</summary>
    public static TraceRecord[] Program(SeededGenerator random, int count, ulong heapPages)
    {
        var records = new TraceRecord[count];
        ulong code = 0x40_0000;
        for (int i = 0; i < count; i++)
        {
            if (random.OneIn(3))
            {
                ulong heap = 0x500_0000 + random.Below(heapPages * 4096 - 64);
                ulong address = random.OneIn(3) ? 0x1F_FEFF_F000 + random.Below(4000UL) : heap;
                var size = (ushort)random.Pick<int>([1, 2, 3, 4, 8, 8, 16, 32, 10]);
                records[i] = new TraceRecord(address, size, (TraceKind)(1 + random.Below(3)));
                continue;
            }
            if (random.OneIn(16)) code = 0x40_0000 + random.Below(16UL * 4096);
            var length = (ushort)(1 + random.Below(8));
            records[i] = new TraceRecord(code, length, TraceKind.Fetch);
            code += length;
        }
        return records;
    }

    /// <summary>The compact form of the accesses.</summary>
    public static byte[] Compact(ReadOnlySpan<TraceRecord> records)
    {
        using var stream = new MemoryStream();
        using (var writer = new CompactWriter(stream))
        {
            writer.Write(records);
            writer.Flush();
        }
        return stream.ToArray();
    }

    /// <summary>All accesses of a text.</summary>
    public static TraceRecord[] Parse(Stream stream, out ulong skipped)
    {
        using var input = new TraceInput(stream);
        var reader = new LackeyReader(input);
        TraceRecord[] all = All(reader, 1000);
        skipped = reader.SkippedLines;
        return all;
    }

    /// <summary>All accesses of a trace, so many at a time.</summary>
    public static TraceRecord[] All(ITraceReader reader, int batch)
    {
        var all = new List<TraceRecord>();
        var records = new TraceRecord[batch];
        for (int count; (count = reader.Read(records)) != 0;) all.AddRange(records[..count]);
        return all.ToArray();
    }

    /// <summary>A stream that gives a few bytes at a time, as a pipe may.</summary>
    public sealed class Dripping(byte[] bytes, int atMost) : MemoryStream(bytes)
    {
        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, atMost)]);
    }
}
