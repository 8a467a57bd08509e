using System;

namespace Pagoda.Machine.Replay;

/// <summary>
/// Reads what <c>valgrind --tool=lackey --trace-mem=yes</c> writes: <c>I  addr,size</c>, <c> L addr,size</c>,
/// <c> S addr,size</c> and <c> M addr,size</c>, addresses in hexadecimal, sizes in decimal.
/// </summary>
/// <remarks>
/// Every other line is skipped and counted: valgrind's own, and those of the program when both share a descriptor. A
/// line that only starts like an access is such a line too.
/// </remarks>
public sealed unsafe class LackeyReader : ITraceReader
{
    // "I  ffffffffffffffff,4096\r\n" and some room.
    private const int LineMax = 48;
    private const int AddressAt = 3;
    private const int DigitsMax = 16;
    private const int NibbleBits = 4;
    private const int Decimal = 10;
    private const byte NoDigit = 0xFF;

    private static readonly byte[] s_nibbles = MakeNibbles();

    private readonly TraceInput _input;
    private bool _insideSkipped;

    /// <summary>Reads from an input, which stays the caller's.</summary>
    public LackeyReader(TraceInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        _input = input;
    }

    /// <inheritdoc/>
    public ulong SkippedLines { get; private set; }

    /// <inheritdoc/>
    public int Read(Span<TraceRecord> records)
    {
        int count = 0;
        fixed (byte* nibbles = s_nibbles)
        {
            while (count < records.Length)
            {
                if (!_input.Ensure(LineMax) && _input.Length == 0) break;
                count += ParseMany(nibbles, records[count..]);
            }
        }
        return count;
    }

    /// <summary>Parses what is at hand, but for a line that may not be whole.</summary>
    private int ParseMany(byte* nibbles, Span<TraceRecord> records)
    {
        byte* start = _input.Next;
        byte* end = start + _input.Length;
        byte* last = _input.IsEnded ? end - 1 : end - LineMax;
        byte* at = start;
        int count = 0;
        while (at <= last && count < records.Length)
        {
            if (!_insideSkipped && TryParse(nibbles, ref at, end, out records[count]))
            {
                count++;
                continue;
            }
            SkipLine(ref at, end);
        }
        _input.Skip((int)(at - start));
        return count;
    }

    /// <summary>Parses a line; on false the place is the line's start as before.</summary>
    private static bool TryParse(byte* nibbles, ref byte* at, byte* end, out TraceRecord record)
    {
        record = default;
        byte* next = at;
        if (!TryKind(next, out TraceKind kind)) return false;
        next += AddressAt;
        byte* digits = next;
        ulong address = 0;
        while (true)
        {
            byte nibble = nibbles[*next];
            if (nibble == NoDigit) break;
            address = (address << NibbleBits) | nibble;
            next++;
        }
        long length = next - digits;
        if (length is 0 or > DigitsMax || *next++ != (byte)',') return false;
        uint size = 0;
        for (; (uint)(*next - '0') < Decimal; next++)
        {
            size = size * Decimal + (uint)(*next - '0');
            if (size > TraceRecord.SizeMax) return false;
        }
        if (size == 0 || address > ulong.MaxValue - size) return false;
        if (next < end && *next == (byte)'\r') next++;
        if (next < end && *next++ != (byte)'\n') return false;
        record = new TraceRecord(address, (ushort)size, kind);
        at = next;
        return true;
    }

    private static bool TryKind(byte* line, out TraceKind kind)
    {
        // The first three characters as one number; a fourth there always is, if only of the padding.
        uint start = *(uint*)line & 0xFF_FFFF;
        switch (start)
        {
            case 'I' | (' ' << 8) | (' ' << 16): kind = TraceKind.Fetch; return true;
            case ' ' | ('L' << 8) | (' ' << 16): kind = TraceKind.Load; return true;
            case ' ' | ('S' << 8) | (' ' << 16): kind = TraceKind.Store; return true;
            case ' ' | ('M' << 8) | (' ' << 16): kind = TraceKind.Modify; return true;
            default: kind = default; return false;
        }
    }

    private void SkipLine(ref byte* at, byte* end)
    {
        if (!_insideSkipped) SkippedLines++;
        int feed = new ReadOnlySpan<byte>(at, (int)(end - at)).IndexOf((byte)'\n');
        _insideSkipped = feed < 0;
        at = feed < 0 ? end : at + feed + 1;
    }

    private static byte[] MakeNibbles()
    {
        var nibbles = new byte[256];
        Array.Fill(nibbles, NoDigit);
        for (int i = 0; i < 10; i++) nibbles['0' + i] = (byte)i;
        for (int i = 0; i < 6; i++) nibbles['a' + i] = nibbles['A' + i] = (byte)(10 + i);
        return nibbles;
    }
}
