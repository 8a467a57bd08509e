using System.Runtime.CompilerServices;
using Pagoda.Core;

namespace Pagoda.Physical;

/// <summary>The parts of a record that several threads change: flags, counts, code versions.</summary>
public sealed unsafe partial class FrameTable
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>Says that the page's content may differ from its slot.</summary>
    /// <remarks>
    /// Always the locked operation, never a test first: it also keeps the caller's stores to the page in front of the
    /// mark. A test that reads an old mark, with those stores still in the store buffer, would lose them to whoever
    /// takes that mark and copies the page in between.
    /// </remarks>
    [MethodImpl(Inline)]
    public void SetDirty(uint pfn) => Shared.Or(&Record(pfn)->Word, FrameRecord.Dirty | FrameRecord.Written);

    /// <summary>
    /// Takes the dirty flag. True when it was set. A generation must follow before the content is read.
    /// </summary>
    [MethodImpl(Inline)]
    public bool TakeDirty(uint pfn) => (Shared.And(&Record(pfn)->Word, ~FrameRecord.Dirty) & FrameRecord.Dirty) != 0;

    /// <summary>
    /// Puts a dirty flag back that was taken for a write-out that did not come about. What harvests report does not
    /// change by that.
    /// </summary>
    public void RestoreDirty(uint pfn) => Shared.Or(&Record(pfn)->Word, FrameRecord.Dirty);

    /// <summary>Puts the written mark on the new frame of a page that lost its last one with the mark set.</summary>
    public void SetWritten(uint pfn) => Shared.Or(&Record(pfn)->Word, FrameRecord.Written);

    /// <summary>Whether the dirty flag is set at this moment.</summary>
    [MethodImpl(Inline)]
    public bool IsDirty(uint pfn) => (Shared.Load(&Record(pfn)->Word) & FrameRecord.Dirty) != 0;

    /// <summary>
    /// Takes the written mark. True when it was set. A generation must follow before that is reported.
    /// </summary>
    [MethodImpl(Inline)]
    public bool TakeWritten(uint pfn)
    {
        uint* word = &Record(pfn)->Word;
        if ((Shared.Load(word) & FrameRecord.Written) == 0) return false;
        return (Shared.And(word, ~FrameRecord.Written) & FrameRecord.Written) != 0;
    }

    /// <summary>Whether the written mark is set at this moment.</summary>
    [MethodImpl(Inline)]
    public bool IsWritten(uint pfn) => (Shared.Load(&Record(pfn)->Word) & FrameRecord.Written) != 0;

    /// <summary>Says that decoded instructions of the frame exist.</summary>
    [MethodImpl(Inline)]
    public void SetCode(uint pfn) => Shared.Or(&Record(pfn)->Word, FrameRecord.Code);

    /// <summary>Says that no decoded instructions of the frame exist any more.</summary>
    [MethodImpl(Inline)]
    public void ClearCode(uint pfn) => Shared.And(&Record(pfn)->Word, ~FrameRecord.Code);

    /// <summary>Whether decoded instructions of the frame exist.</summary>
    [MethodImpl(Inline)]
    public bool HasCode(uint pfn) => (Shared.Load(&Record(pfn)->Word) & FrameRecord.Code) != 0;

    /// <summary>Makes every decoded block of the frame wrong; returns the new version.</summary>
    [MethodImpl(Inline)]
    public uint RaiseCodeVersion(uint pfn)
    {
        Invariant.Assert(pfn < FrameCount);
        return Shared.Add(&CodeVersions[pfn], 2U);
    }

    /// <summary>
    /// Makes every decoded block of the frame wrong, and says by an odd version that none may be made before
    /// <see cref="EndCodeChange"/>. False: somebody else is between the two, and has made every block wrong.
    /// </summary>
    public bool TryBeginCodeChange(uint pfn)
    {
        Invariant.Assert(pfn < FrameCount);
        uint* version = &CodeVersions[pfn];
        if (Planted.Is(PlantedFault.MarksClearedBeforeVersion)) return true;
        while (true)
        {
            uint seen = Shared.Load(version);
            if ((seen & 1) != 0) return false;
            if (Shared.CompareExchange(version, seen + 1, seen) == seen) return true;
        }
    }

    /// <summary>Blocks may be made again.</summary>
    public void EndCodeChange(uint pfn) =>
        Shared.Add(&CodeVersions[pfn], Planted.Is(PlantedFault.MarksClearedBeforeVersion) ? 2U : 1U);

    /// <summary>Adds a wire; returns the count.</summary>
    [MethodImpl(Inline)]
    public uint AddWire(uint pfn)
    {
        uint wires = Shared.Add(&Record(pfn)->Word, FrameRecord.WireOne) >> FrameRecord.WireShift;
        Invariant.Require(wires != 0);      // 0: the 65,536th wire.
        return wires;
    }

    /// <summary>Takes a wire away; returns how many are left.</summary>
    [MethodImpl(Inline)]
    public uint ReleaseWire(uint pfn)
    {
        uint wires = Shared.Add(&Record(pfn)->Word, unchecked(0U - FrameRecord.WireOne)) >> FrameRecord.WireShift;
        Invariant.Require(wires != FrameRecord.WireMask >> FrameRecord.WireShift);
        return wires;
    }

    /// <summary>The wires of a frame at this moment.</summary>
    [MethodImpl(Inline)]
    public uint WireCount(uint pfn) => Shared.Load(&Record(pfn)->Word) >> FrameRecord.WireShift;

    /// <summary>Adds a hold, inside the consumer slot in which the frame was found; the count.</summary>
    [MethodImpl(Inline)]
    public uint AddHold(uint pfn)
    {
        uint* cell = &Record(pfn)->Hold;
        uint hold = Planted.Is(PlantedFault.HoldCountByLoadAndStore) ? AddByStore(cell, 1) : Shared.Increment(cell);
        Invariant.Assert((hold & ~FrameRecord.OrphanBit) != 0);
        return hold & ~FrameRecord.OrphanBit;
    }

    /// <summary>Takes a hold away.</summary>
    /// <returns>
    /// True when the frame had lost its owner and this was its last hold: the caller now owns the frame and gives it to
    /// the allocator.
    /// </returns>
    [MethodImpl(Inline)]
    public bool ReleaseHold(uint pfn)
    {
        FrameRecord* record = Record(pfn);
        // The value that the decrement returns decides, never a second read: two releases that both read again
        // could both find the bit alone, or neither.
        uint* cell = &record->Hold;
        uint hold = Planted.Is(PlantedFault.HoldCountByLoadAndStore)
            ? AddByStore(cell, uint.MaxValue)
            : Shared.Decrement(cell);
        Invariant.Require((hold & ~FrameRecord.OrphanBit) != ~FrameRecord.OrphanBit);
        if (Planted.Is(PlantedFault.ReleaseReadsAgain) || Planted.Is(PlantedFault.CountAndOrphanApart))
            hold = Shared.Load(cell);
        if (hold != FrameRecord.OrphanBit || Planted.Is(PlantedFault.ReleaseNeverFrees)) return false;
        Shared.And(&record->Hold, ~FrameRecord.OrphanBit);
        return true;
    }

    /// <summary>Takes the owner from a frame that may be held, after its grace period.</summary>
    /// <returns>True when nobody holds it: the caller gives it to the allocator. Else the last release does.</returns>
    public bool Orphan(uint pfn)
    {
        FrameRecord* record = Record(pfn);
        uint before = Shared.Or(&record->Hold, FrameRecord.OrphanBit);
        Invariant.Require((before & FrameRecord.OrphanBit) == 0);
        if (Planted.Is(PlantedFault.CountAndOrphanApart))
            before = Shared.Load(&record->Hold) & ~FrameRecord.OrphanBit;
        if (before != 0 && !Planted.Is(PlantedFault.FreesHeldFrames)) return false;
        Shared.And(&record->Hold, ~FrameRecord.OrphanBit);
        return true;
    }

    /// <summary>The holds of a frame at this moment.</summary>
    [MethodImpl(Inline)]
    public uint HoldCount(uint pfn) => Shared.Load(&Record(pfn)->Hold) & ~FrameRecord.OrphanBit;

    private static uint AddByStore(uint* cell, uint addend)
    {
        uint next = Shared.Load(cell) + addend;
        Shared.Store(cell, next);
        return next;
    }

    /// <summary>
    /// Adds to a table's count of entries, which its children's windows change side by side; the count.
    /// </summary>
    [MethodImpl(Inline)]
    public int AddTableEntries(uint pfn, int count)
    {
        FrameRecord* record = Record(pfn);
        Invariant.Assert((FrameState)(Shared.Load(&record->Word) & FrameRecord.StateMask) == FrameState.Table);
        uint entries = Shared.Add(&record->Index, (uint)count) & FrameRecord.EntryCountMask;
        Invariant.Require(entries <= Core.Paging.EntriesPerTable);
        return (int)entries;
    }

    /// <summary>A table's count of entries at this moment.</summary>
    [MethodImpl(Inline)]
    public int TableEntries(uint pfn) => (int)(Shared.Load(&Record(pfn)->Index) & FrameRecord.EntryCountMask);

    /// <summary>A table's level: 1 for a leaf table.</summary>
    [MethodImpl(Inline)]
    public int TableLevel(uint pfn) => (int)(Shared.Load(&Record(pfn)->Index) >> FrameRecord.LevelShift);
}
