using System.Runtime.CompilerServices;
using Pagoda.Core;

namespace Pagoda.Physical;

/// <summary>The state machine of a frame, whole.</summary>
/// <remarks>
/// <code>
///   from \ to   Free  Zeroed  Table  Index  Page  Limbo
///   Free         x      x       x      -      x     -      x Free again: taken, given back unused
///   Zeroed       x      -       x      x      x     -
///   Table        x      -       -      -      -     x      straight to Free only when never linked, or when no
///   Index        x      -       -      -      -     x      consumer is left that could follow an old translation
///   Page         x      -       -      -      -     x
///   Limbo        x      -       -      -      -     -
/// </code>
/// One owner moves a frame: who took it from the allocator, until it gives it on. Free and Zeroed frames have no
/// other writer, so leaving those states is a release store; a frame in use can have its flags changed by any consumer,
/// so it goes to limbo by compare-and-swap. An impossible change is a broken invariant in every build.
/// </remarks>
public sealed unsafe partial class FrameTable
{
    private const int RowBits = 8;
    private const ulong FromFree = 0b01_0111;       // Free, Zeroed, Table, Page
    private const ulong FromZeroed = 0b01_1101;     // Free, Table, Index, Page
    private const ulong FromUse = 0b10_0001;        // Free, Limbo
    private const ulong FromLimbo = 0b00_0001;      // Free

    /// <summary>Bit 8 * from + to: the table of the remarks.</summary>
    private const ulong Legal =
        (FromFree << (RowBits * (int)FrameState.Free)) | (FromZeroed << (RowBits * (int)FrameState.Zeroed))
        | (FromUse << (RowBits * (int)FrameState.Table)) | (FromUse << (RowBits * (int)FrameState.Index))
        | (FromUse << (RowBits * (int)FrameState.Page)) | (FromLimbo << (RowBits * (int)FrameState.Limbo));

    /// <summary>Whether a frame may go from one state to another.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsLegal(FrameState from, FrameState to) => ((Legal >> (RowBits * (int)from + (int)to)) & 1) != 0;

    /// <summary>Free to Zeroed: the caller has zeroed the frame, or knows that it is zero.</summary>
    /// <remarks>Streaming stores need a store fence after this and before the frame is published.</remarks>
    public void ToZeroed(uint pfn) => Shared.Store(&Leave(pfn, FrameState.Zeroed)->Word, (uint)FrameState.Zeroed);

    /// <summary>Zeroed, or Free when the caller fills it whole, to Table, without entries.</summary>
    /// <param name="pfn">The frame.</param>
    /// <param name="parent">The frame of the table that will point here; 0 for a root.</param>
    /// <param name="level">1 for a leaf table.</param>
    public void ToTable(uint pfn, uint parent, int level) =>
        Use(pfn, FrameState.Table, parent, (uint)level << FrameRecord.LevelShift);

    /// <summary>Zeroed to Index: 512 page words, all Absent.</summary>
    /// <param name="pfn">The frame.</param>
    /// <param name="objectId">The VM object.</param>
    /// <param name="window">Which 512 pages of the object.</param>
    public void ToIndex(uint pfn, uint objectId, uint window) => Use(pfn, FrameState.Index, objectId, window);

    /// <summary>Zeroed, or Free when the caller fills it whole, to Page; clean, without wires.</summary>
    /// <param name="pfn">The frame.</param>
    /// <param name="objectId">The VM object.</param>
    /// <param name="page">The page's index in the object.</param>
    public void ToPage(uint pfn, uint objectId, uint page)
    {
        Use(pfn, FrameState.Page, objectId, page);
        // A page that comes now was used now: it is younger than what the last sweep saw idle.
        Shared.Store(Ages + pfn, Shared.Load(Ages));
    }

    /// <summary>Free to Page, for a run of frames that are zero and that the caller has taken.</summary>
    /// <param name="first">The first frame.</param>
    /// <param name="count">How many.</param>
    /// <param name="objectId">The VM object.</param>
    /// <param name="page">The first page's index in the object.</param>
    public void ToPages(uint first, uint count, uint objectId, uint page)
    {
        for (uint i = 0; i < count; i++) Use(first + i, FrameState.Page, objectId, page + i);
        new System.Span<byte>(Ages + first, (int)count).Fill(Shared.Load(Ages));
    }

    /// <summary>
    /// Table, Index or Page to Limbo: unlinked, not yet reusable. Flags stay as they are, since a consumer in its slot
    /// may set one at this moment.
    /// </summary>
    /// <param name="pfn">The frame, which must not be wired.</param>
    /// <param name="next">The next frame of the limbo chain, 0 for none.</param>
    public void ToLimbo(uint pfn, uint next)
    {
        FrameRecord* record = Record(pfn);
        uint word = Shared.Load(&record->Word);
        while (true)
        {
            Require(word, FrameState.Limbo);
            Invariant.Require((word & FrameRecord.WireMask) == 0);
            uint limbo = (word & ~FrameRecord.StateMask) | (uint)FrameState.Limbo;
            uint found = Shared.CompareExchange(&record->Word, limbo, word);
            if (found == word) break;
            word = found;
        }
        Shared.Store(&record->Owner, next);
    }

    /// <summary>
    /// Any state to Free, for the allocator alone. Nobody can reach the frame any more: every consumer let it go, and
    /// it is neither held nor wired. Decoded instructions of it become wrong here, before it has a new use.
    /// </summary>
    internal void ToFree(uint pfn)
    {
        FrameRecord* record = Leave(pfn, FrameState.Free);
        uint word = Shared.Load(&record->Word);
        Invariant.Require((word & FrameRecord.WireMask) == 0);
        // Tested, never zeroed: a count that is not 0 here is a hold that a reuse would betray.
        Invariant.Require(Shared.Load(&record->Hold) == 0);
        if ((word & FrameRecord.Code) != 0) RaiseCodeVersion(pfn);
        Shared.Store(&record->Word, (uint)FrameState.Free);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Use(uint pfn, FrameState to, uint owner, uint index)
    {
        FrameRecord* record = Leave(pfn, to);
        Shared.Store(&record->Owner, owner);
        Shared.Store(&record->Index, index);
        // Last, and release: a sweep that sees the state sees the owner and the index that belong to it.
        Shared.Store(&record->Word, (uint)to);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private FrameRecord* Leave(uint pfn, FrameState to)
    {
        FrameRecord* record = Record(pfn);
        Require(Shared.Load(&record->Word), to);
        return record;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Require(uint word, FrameState to)
    {
        Invariant.Require(IsLegal((FrameState)(word & FrameRecord.StateMask), to));
        // The first frame of a free block belongs to the allocator: nobody took it.
        Invariant.Require((word & FrameRecord.OrderMask) == 0);
    }
}
