using System;
using Pagoda.Core;
using Pagoda.PageTables;
using Pagoda.Physical;
using Pagoda.Tlb;

namespace Pagoda.AddressSpace;

/// <summary>Saying that memory will not be used for a while.</summary>
public sealed unsafe partial class Vmspace
{
    /// <summary>Bytes that are cooled in one stay in a slot: a quarter million entries.</summary>
    private const ulong CoolChunkBytes = 1UL << 30;

    /// <summary>
    /// Makes the pages of some ranges the oldest, so that they go first. A use of one makes it young again. Needs no
    /// shootdown. Wired pages stay, whatever their age.
    /// </summary>
    /// <remarks>
    /// A superpage that a range covers in part is demoted, since one accessed bit would speak for all its pages.
    /// </remarks>
    /// <param name="ranges">Page aligned, below the end of the address space.</param>
    /// <param name="cooled">Pages in memory that were aged.</param>
    /// <returns>False: the guest was disposed.</returns>
    [AllocationFree]
    internal bool TryCool(ReadOnlySpan<GpaRange> ranges, out ulong cooled)
    {
        cooled = 0;
        foreach (ref readonly GpaRange range in ranges)
        {
            ulong at = range.Start.Value;
            ulong end = at + range.Length;
            while (at < end)
            {
                TakeChangeLock();
                if (_destroyed)
                {
                    UnlockChanges();
                    return false;
                }
                cooled += CoolNext(ref at, end);
                UnlockChanges();
            }
        }
        Neighbours.Relief?.Cooled();
        return true;
    }

    /// <summary>Cools the next run of memory, or part of it.</summary>
    [AllocationFree]
    private ulong CoolNext(ref ulong at, ulong end)
    {
        if (!TryNextPiece(ref at, end, out MapEntry piece, out VmObject? memory)) return 0;
        piece.End = ulong.Min(piece.End, piece.Start + CoolChunkBytes);
        at = piece.End;
        byte cold = unchecked((byte)(Shared.Load(Arena.Frames.Ages) - FrameTable.ColdAge));
        var gather = new ShootdownGather(Consumers, Limbo);
        EnterControl();
        DemoteAround(piece.Start, ref gather);
        DemoteAround(piece.End, ref gather);
        // The bits first: what is used from here on is young at the next sweep.
        Pmap.Age(piece.Start, piece.Length, cold);
        ulong cooled = memory!.SetAges(piece.Page, piece.Length >> Paging.PageShift, cold);
        LeaveControl();
        gather.Commit();
        return cooled;
    }

    /// <summary>Demotes the superpages in the middle of which an address lies, unless they are wired.</summary>
    [AllocationFree]
    private void DemoteAround(ulong gpa, ref ShootdownGather gather)
    {
        if (gpa >= Pmap.GpaLimit) return;
        while (true)
        {
            ulong entry = Pmap.Lookup(gpa, out int level);
            bool isInside = level > 1 && (gpa & ((1UL << Paging.LevelShift(level)) - 1)) != 0;
            if (entry == 0 || !isInside || (entry & PteFormat.Wired) != 0) return;
            if (Pmap.Demote(gpa, _control.Frames, ref gather) != PmapStatus.Ok) return;
        }
    }
}
