using System.Runtime.InteropServices;

namespace Pagoda.Physical;

/// <summary>Everything about a frame that is written together: four to a cache line.</summary>
/// <remarks>
/// <code>
///   offset  31            16 15    12 11    10    9     8    7      3 2     0
///     0    | wire count     | - |writ|fresh|zero|code |dirty| order+1 | state |   Word
///     4    | orphan (bit 31) |                hold count                     |   Hold
///     8    | Page, Index: object. Table: parent table's frame. Free, Zeroed, Limbo: next frame of the list | Owner
///    12    | Page: page in object. Index: window in object. Table: entry count (0-15), level (16-31).
///          | Free: previous frame of the list. Limbo: low half of the tag                                | Index
/// </code>
/// Order, zero and fresh are the allocator's: they are set in the first frame of a free block and nowhere else
/// (order+1 = 0: no free block starts here). Dirty, written, code and the wire count change by locked operations, the
/// state only by the frame's one owner. Hold changes by locked operations alone and is never zeroed.
/// </remarks>
[StructLayout(LayoutKind.Explicit, Size = Bytes)]
public struct FrameRecord
{
    /// <summary>Bytes of a record.</summary>
    public const int Bytes = 16;

    /// <summary>The state, a <see cref="FrameState"/>.</summary>
    public const uint StateMask = 0x7;

    /// <summary>Shift of the order of the free block that starts here, plus one.</summary>
    public const int OrderShift = 3;

    /// <summary>The order of the free block that starts here, plus one; 0 when none does.</summary>
    public const uint OrderMask = 0x1FU << OrderShift;

    /// <summary>The page's content differs from its slot, or may: set after M was cleared in the entry.</summary>
    public const uint Dirty = 1U << 8;

    /// <summary>Decoded instructions of this frame exist: no TLB may give it a fast store.</summary>
    public const uint Code = 1U << 9;

    /// <summary>Free block: every byte of it is 0.</summary>
    public const uint KnownZero = 1U << 10;

    /// <summary>Free block: no byte of it is committed.</summary>
    public const uint Fresh = 1U << 11;

    /// <summary>The page was written since whoever tracks writes last took this mark; set with Dirty.</summary>
    public const uint Written = 1U << 12;

    /// <summary>Shift of the wire count.</summary>
    public const int WireShift = 16;

    /// <summary>One wire.</summary>
    public const uint WireOne = 1U << WireShift;

    /// <summary>The wire count.</summary>
    public const uint WireMask = 0xFFFFU << WireShift;

    /// <summary>In Hold: the frame has no owner any more; the release that leaves exactly this bit frees it.</summary>
    public const uint OrphanBit = 1U << 31;

    /// <summary>Shift of a table's level in Index.</summary>
    public const int LevelShift = 16;

    /// <summary>A table's count of non-zero entries, in Index.</summary>
    public const uint EntryCountMask = 0xFFFF;

    [FieldOffset(0)] public uint Word;
    [FieldOffset(4)] public uint Hold;
    [FieldOffset(8)] public uint Owner;
    [FieldOffset(12)] public uint Index;
}
