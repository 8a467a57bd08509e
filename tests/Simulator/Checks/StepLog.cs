using System.Globalization;
using System.IO;
using Pagoda.Physical;
using Pagoda.Simulator.Scheduling;

namespace Pagoda.Simulator.Checks;

/// <summary>Writes what the actors of a schedule do to frames and their records, for who looks for a cause.</summary>
internal sealed unsafe class StepLog(TextWriter writer)
{
    private static readonly string[] s_fields = ["word", "hold", "owner", "index"];

    private readonly TextWriter _writer = writer;
    private byte* _memory;
    private byte* _records;
    private nuint _frames;

    public void Attach(Arena arena)
    {
        _memory = arena.Base;
        _records = (byte*)arena.Frames.Records;
        _frames = arena.FrameCount;
    }

    /// <summary>An actor stores or changes a cell.</summary>
    public void Access(SimThread thread, string what, void* cell, ulong value)
    {
        string? place = PlaceOf((byte*)cell);
        if (place is null) return;
        Note(thread, what + " " + place + " " + value.ToString("X", CultureInfo.InvariantCulture));
    }

    /// <summary>Something else that is worth a line.</summary>
    public void Note(SimThread? thread, string text)
    {
        long step = thread?.Scheduler.Steps ?? 0;
        _writer.WriteLine(step.ToString(CultureInfo.InvariantCulture) + " " + (thread?.Name ?? "host") + ": " + text);
    }

    private string? PlaceOf(byte* cell)
    {
        nuint offset = (nuint)(cell - _memory);
        if (offset < _frames << Core.Paging.PageShift)
        {
            return "frame " + (offset >> Core.Paging.PageShift) + " +"
                + (offset & Core.Paging.PageOffsetMask).ToString("X", CultureInfo.InvariantCulture);
        }
        offset = (nuint)(cell - _records);
        if (offset >= _frames * FrameRecord.Bytes) return null;
        return s_fields[offset % FrameRecord.Bytes / sizeof(uint)] + " of frame " + offset / FrameRecord.Bytes;
    }
}
