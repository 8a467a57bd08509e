using System;

namespace Pagoda.Machine.Replay;

/// <summary>Reads the compact form; <see cref="TraceFormat"/> has its layout.</summary>
public sealed unsafe class CompactReader : ITraceReader
{
    private const int VarintShiftMax = 63;

    private readonly TraceInput _input;
    private ulong _nextFetch;
    private ulong _nextData;

    /// <summary>Reads from an input, which stays the caller's, behind its header.</summary>
    /// <exception cref="TraceException">The header is of another version.</exception>
    public CompactReader(TraceInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (!IsCompact(input)) throw new TraceException("the trace is not of the compact form; convert it.");
        uint version = *(uint*)(input.Next + sizeof(ulong));
        if (version != TraceFormat.Version)
        {
            throw new TraceException("the trace is of version " + version + ", not " + TraceFormat.Version
                + "; convert the original again.");
        }
        _input = input;
        input.Skip(TraceFormat.HeaderBytes);
    }

    /// <inheritdoc/>
    public ulong SkippedLines => 0;

    /// <summary>Whether the input is at a header of the compact form.</summary>
    public static bool IsCompact(TraceInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return input.Ensure(TraceFormat.HeaderBytes) && *(ulong*)input.Next == TraceFormat.Magic;
    }

    /// <inheritdoc/>
    public int Read(Span<TraceRecord> records)
    {
        int count = 0;
        while (count < records.Length)
        {
            if (!_input.Ensure(TraceFormat.RecordBytesMax) && _input.Length == 0) break;
            byte* start = _input.Next;
            byte* end = start + _input.Length;
            byte* last = _input.IsEnded ? end - 1 : end - TraceFormat.RecordBytesMax;
            byte* at = start;
            while (at <= last && count < records.Length) records[count++] = Decode(ref at);
            if (at > end) throw Damaged("it ends inside a record");
            _input.Skip((int)(at - start));
        }
        return count;
    }

    // Looks past the end by a record's length at most: zeros are there.
    private TraceRecord Decode(ref byte* at)
    {
        int control = *at++;
        var kind = (TraceKind)(control & TraceFormat.KindMask);
        int code = control >> TraceFormat.SizeShift;
        int size;
        if (code != TraceFormat.SizeExplicit)
        {
            size = TraceFormat.SizeOf(code);
        }
        else
        {
            size = *(ushort*)at;
            at += sizeof(ushort);
            if (size is 0 or > TraceRecord.SizeMax) throw Damaged("an access has " + size + " bytes");
        }
        long difference = 0;
        switch ((control >> TraceFormat.FormShift) & TraceFormat.FormMask)
        {
            case TraceFormat.FormSame:
                break;
            case TraceFormat.FormByte:
                difference = (sbyte)*at++;
                break;
            case TraceFormat.FormShort:
                difference = *(short*)at;
                at += sizeof(short);
                break;
            default:
                difference = TraceFormat.UnZigZag(Varint(ref at));
                break;
        }
        ref ulong next = ref kind == TraceKind.Fetch ? ref _nextFetch : ref _nextData;
        ulong address = next + (ulong)difference;
        if (address > ulong.MaxValue - (uint)size) throw Damaged("an access goes past the last address");
        next = address + (uint)size;
        return new TraceRecord(address, (ushort)size, kind);
    }

    private ulong Varint(ref byte* at)
    {
        ulong value = 0;
        for (int shift = 0; shift <= VarintShiftMax; shift += 7)
        {
            byte part = *at++;
            value |= (ulong)(part & 0x7F) << shift;
            if ((part & 0x80) == 0) return value;
        }
        throw Damaged("a number has too many bytes");
    }

    private TraceException Damaged(string how) =>
        new("the trace is damaged behind byte " + _input.Position + ": " + how + "; convert the original again.");
}
