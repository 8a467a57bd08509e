using System.Runtime.CompilerServices;
using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.PageTables;

public sealed unsafe partial class Pmap
{
    /// <summary>Makes one superpage of the 512 leaves of a window, under its lock, if they allow it.</summary>
    /// <remarks>
    /// <para>
    /// Every leaf is valid and accessed, maps the frame in its place, and agrees with the others. If none is modified
    /// they lose their write right first, each by compare-and-swap: what was not modified was never cached as writable,
    /// so nobody has to be told, and a writable superpage is always modified. The superpage has the right parked: its
    /// first write demotes it. The leaves are compared before the first one is changed, so that an attempt that must
    /// fail costs no page a write fault.
    /// </para>
    /// <para>
    /// The translations stay right, so nobody has to be told. The leaf table keeps its entries and is retired, as
    /// walkers may still be in it: they can set A there, or M that the superpage has anyway.
    /// </para>
    /// </remarks>
    /// <param name="window">The window's lock.</param>
    /// <param name="frames">Gives the frame that a wired superpage holds in reserve.</param>
    /// <param name="sink">Is told of the leaf table.</param>
    public PromotionResult Promote<TSink>(in WindowLock window, FrameCache frames, ref TSink sink)
        where TSink : struct, IRemovalSink, allows ref struct
    {
        ulong parent = Shared.Load(window.Entry);
        if (!IsFullTable(parent, window.Level)) return PromotionResult.NotEligible;
        uint tablePfn = TablePfn(parent);
        ulong* table = TableAt(tablePfn);
        if ((Shared.Load(table) & PteFormat.Managed) == 0) return PromotionResult.NotEligible;
        if (Planted.Is(PlantedFault.PromotionWithoutLock)) Shared.And(window.Entry, ~WindowLockBit);
        PromotionResult result = Compare(table, out ulong leaf);
        if (result == PromotionResult.Promoted && (leaf & (_format.Writable | _format.Modified)) == _format.Writable)
        {
            if (!Planted.Is(PlantedFault.PromotionKeepsWrite)) result = StripWrite(table);
        }
        if (Planted.Is(PlantedFault.PromotionWithoutLock)) Shared.Or(window.Entry, WindowLockBit);
        if (result == PromotionResult.Promoted && (leaf & PteFormat.Wired) != 0 && !TryReserve(2, frames))
        {
            result = PromotionResult.NoFrame;
        }
        if (result != PromotionResult.Promoted)
        {
            CountFailure(result);
            return result;
        }
        ulong before = Shared.Exchange(window.Entry, _format.Promoted(leaf) | WindowLockBit);
        Invariant.Assert(before == parent);
        Shared.Add(&_counters->TablePages, ulong.MaxValue);
        Shared.Increment(&_counters->Promotions);
        sink.RetiredTable(tablePfn);
        return PromotionResult.Promoted;
    }

    /// <summary>
    /// As <see cref="Promote{TSink}(in WindowLock, FrameCache, ref TSink)"/>, for a caller without the lock: takes it
    /// if the window has 512 leaves whose frames may lie in a row. Inside a consumer slot.
    /// </summary>
    /// <param name="gpa">Any address of the window.</param>
    /// <param name="frames">Gives the frame that a wired superpage holds in reserve.</param>
    /// <param name="sink">Is told of the leaf table.</param>
    public PromotionResult Promote<TSink>(ulong gpa, FrameCache frames, ref TSink sink)
        where TSink : struct, IRemovalSink, allows ref struct
    {
        if (gpa >= _limit || !MayPromote(gpa) || !TryLockExisting(gpa, out WindowLock window, out _))
        {
            return PromotionResult.NotEligible;
        }
        PromotionResult result = Promote(in window, frames, ref sink);
        Unlock(in window);
        return result;
    }

    /// <summary>A look without the lock that spares most attempts it.</summary>
    private bool MayPromote(ulong gpa)
    {
        uint pfn = FindTable(gpa, 1, out ulong* parentEntry, out _);
        if (pfn == 0 || !IsFullTable(Shared.Load(parentEntry), 2)) return false;
        ulong leaf = Shared.Load(TableAt(pfn) + IndexAt(gpa, 1));
        ulong place = ((leaf & _format.Frame) ^ gpa) & Paging.WindowOffsetMask & ~(ulong)Paging.PageOffsetMask;
        return (leaf & PteFormat.Managed) != 0 && place == 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool IsFullTable(ulong parent, int level) =>
        _format.Superpages && level == 2 && (parent & _format.Valid) != 0 && (parent & _format.PageSize) == 0
        && _frames.TableEntries(TablePfn(parent)) == Paging.EntriesPerTable;

    /// <summary>Compares 512 leaves with what the first one asks of them.</summary>
    /// <param name="table">The leaf table.</param>
    /// <param name="leaf">What they have in common, and the frame of the first.</param>
    private PromotionResult Compare(ulong* table, out ulong leaf)
    {
        ulong frame = _format.Frame;
        ulong checkedBits = _format.Promote | frame;
        leaf = Shared.Load(table) & checkedBits;
        if ((leaf & frame & Paging.WindowOffsetMask) != 0) return PromotionResult.Scattered;
        ulong differing = PteVector.Compare(table, leaf, Paging.PageBytes, checkedBits);
        if (Planted.Is(PlantedFault.LeavesNotCompared)) return PromotionResult.Promoted;
        if ((differing & frame) != 0) return PromotionResult.Scattered;
        if (((leaf & ~differing) & _format.Accessed) == 0) return PromotionResult.NotAccessed;
        return differing == 0 ? PromotionResult.Promoted : PromotionResult.Different;
    }

    /// <summary>Takes the write right from leaves that are not modified; Raced when one becomes so before.</summary>
    private PromotionResult StripWrite(ulong* table)
    {
        ulong writable = _format.Writable;
        ulong modified = _format.Modified;
        var scan = new PteScan(table, 0, Paging.EntriesPerTable, writable);
        while (scan.TryNext(out int i))
        {
            ulong entry = Shared.Load(table + i);
            while ((entry & writable) != 0)
            {
                if ((entry & modified) != 0) return PromotionResult.Raced;
                if (Planted.Is(PlantedFault.WriteStrippedByStore)) Shared.Store(table + i, entry & ~writable);
                ulong found = Shared.CompareExchange(table + i, entry & ~writable, entry);
                if (found == entry) break;
                entry = found;
            }
        }
        return PromotionResult.Promoted;
    }

    private void CountFailure(PromotionResult result)
    {
        ulong* failures = _counters->Failures;
        Shared.Increment(failures + (int)result);
    }
}
