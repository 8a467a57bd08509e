namespace Pagoda.Machine.Replay;

/// <summary>
/// The compact form of a trace: a header of 16 bytes, then a record an access until the end of the file.
/// </summary>
/// <remarks>
/// <code>
///   header   8 bytes "PAGODATR", u32 version 1, u32 zero; little-endian
///
///   record   a control byte, then the size if it has no code, then the address's bytes
///       7:4     3:2     1:0
///     +-------+-------+------+
///     | size  | form  | kind |   kind: 0 fetch, 1 load, 2 store, 3 modify
///     +-------+-------+------+
///   size     1 to 12: so many bytes; 13, 14, 15: 16, 32, 64; 0: a u16 follows
///   address  the difference to where the last access of the same sort (fetch, or any other) ended:
///     form   0: none, it is the same; 1: a signed byte; 2: a signed u16; 3: a zigzag number of 7 bits a byte, low ones
///            first, the top bit set in all but the last
/// </code>
/// Fetches mostly follow one another, so most take a byte; an access to data takes two to eight.
/// </remarks>
internal static class TraceFormat
{
    public const ulong Magic = 0x5254_4144_4F47_4150;
    public const uint Version = 1;
    public const int HeaderBytes = 16;

    /// <summary>Control byte, size and the longest address.</summary>
    public const int RecordBytesMax = 1 + 2 + 10;

    public const int KindMask = 3;
    public const int FormShift = 2;
    public const int FormMask = 3;
    public const int FormSame = 0;
    public const int FormByte = 1;
    public const int FormShort = 2;
    public const int FormLong = 3;
    public const int SizeShift = 4;
    public const int SizeExplicit = 0;
    public const int SizeDirectMax = 12;

    private const int SizeCoded = 13;
    private const int SizeCodedLog = 4;

    /// <summary>The code of a size; <see cref="SizeExplicit"/> when it has none.</summary>
    public static int CodeOf(int size) => size switch
    {
        <= SizeDirectMax => size,
        1 << SizeCodedLog => SizeCoded,
        1 << (SizeCodedLog + 1) => SizeCoded + 1,
        1 << (SizeCodedLog + 2) => SizeCoded + 2,
        _ => SizeExplicit,
    };

    /// <summary>The size of a code that is not <see cref="SizeExplicit"/>.</summary>
    public static int SizeOf(int code) =>
        code <= SizeDirectMax ? code : 1 << (code - SizeCoded + SizeCodedLog);


    /// <summary>Small numbers of both signs as small numbers.</summary>
    public static ulong ZigZag(long value) => (ulong)((value << 1) ^ (value >> 63));

    /// <summary>The inverse of <see cref="ZigZag"/>.</summary>
    public static long UnZigZag(ulong value) => (long)(value >> 1) ^ -(long)(value & 1);
}
