using System;
using Pagoda.Core;
using Pagoda.Diagnostics;
using Pagoda.Physical;
using Pagoda.Tlb;

namespace Pagoda.AddressSpace;

/// <summary>Dropping content.</summary>
public sealed unsafe partial class Vmspace
{
    /// <summary>
    /// Drops what is in the memory of some ranges: its frames and slots are free when it returns, no consumer has a
    /// translation of it, and the next touch finds zeros (of a host's own pager: what that yields for pages that it was
    /// told to forget). Holds keep the old bytes to themselves. Holes, devices and memory that is never writable are
    /// left alone.
    /// </summary>
    /// <remarks>
    /// Pages that others show lose their content there too, so the change locks of all spaces are taken, in the order
    /// of their table, before any page is claimed: who owns a page must not wait for a lock, because its holder may
    /// wait for the page. A space that is made meanwhile may show the pages before they are claimed; then all starts
    /// again.
    /// </remarks>
    /// <param name="ranges">Page aligned, below the end of the address space; they may overlap.</param>
    /// <param name="dropped">Pages that had content.</param>
    /// <returns>False: the guest was disposed.</returns>
    /// <exception cref="MapException">Part of a range is wired; nothing was changed.</exception>
    [AllocationFree]
    internal bool TryDiscard(ReadOnlySpan<GpaRange> ranges, out ulong dropped)
    {
        dropped = 0;
        while (true)
        {
            if (TryDiscardAlone(ranges, ref dropped, out bool isAlive)) return isAlive;
            ReadOnlySpan<Vmspace> spaces = Neighbours.Snapshot;
            bool isAmong = false;
            foreach (Vmspace space in spaces)
            {
                space.TakeChangeLock();
                isAmong |= ReferenceEquals(space, this);
            }
            try
            {
                // A space that is being destroyed leaves the table first.
                if (!isAmong || _destroyed) return false;
                if (DiscardLocked(ranges, spaces, ref dropped)) return true;
            }
            finally
            {
                foreach (Vmspace space in spaces) space.UnlockChanges();
            }
        }
    }

    /// <summary>Does it with the lock of this space alone. False: the ranges show pages that others may show.</summary>
    [AllocationFree]
    private bool TryDiscardAlone(ReadOnlySpan<GpaRange> ranges, ref ulong dropped, out bool isAlive)
    {
        TakeChangeLock();
        isAlive = !_destroyed;
        try
        {
            if (!isAlive) return true;
            return !ShowsShared(ranges) && DiscardLocked(ranges, default, ref dropped);
        }
        finally
        {
            UnlockChanges();
        }
    }

    /// <summary>Does it. False: other spaces than these may show the pages; they are as they were.</summary>
    /// <param name="ranges">The ranges.</param>
    /// <param name="others">Every space, all locked; none when the pages are shown here alone.</param>
    /// <param name="dropped">Pages that had content are added.</param>
    [AllocationFree]
    private bool DiscardLocked(ReadOnlySpan<GpaRange> ranges, ReadOnlySpan<Vmspace> others, ref ulong dropped)
    {
        RefuseWiredIn(ranges, others);
        ulong before = dropped;
        // In front of the marks that the words get.
        NoteUnmappedMarks();
        foreach (Vmspace space in others) space.NoteUnmappedMarks();
        bool isInFrames = ClaimForDiscard(ranges, ref dropped);
        if (isInFrames && !others.IsEmpty && others != Neighbours.Snapshot)
        {
            KeepClaimed(ranges);
            dropped = before;
            return false;
        }
        if (isInFrames)
        {
            RemoveEverywhere(ranges, others);
            bool isDone = false;
            try
            {
                EndDiscard(ranges, tells: true);
                isDone = true;
            }
            finally
            {
                // What a pager throws must not leave pages claimed: everybody would wait for them for ever.
                if (!isDone) EndDiscard(ranges, tells: false);
            }
        }
        if (dropped != before) Counters.AddShared(Counter.DiscardedPages, dropped - before);
        return true;
    }

    /// <summary>Claims the pages of some ranges that lie in frames; others lose their content. True: some do.</summary>
    [AllocationFree]
    private bool ClaimForDiscard(ReadOnlySpan<GpaRange> ranges, ref ulong dropped)
    {
        bool isInFrames = false;
        bool isDone = false;
        try
        {
            foreach (ref readonly GpaRange range in ranges)
            {
                ulong at = range.Start.Value;
                while (TryNextPiece(ref at, range.Start.Value + range.Length, out MapEntry piece, out VmObject? memory))
                {
                    if ((piece.ProtMax & Prot.Write) == 0) continue;
                    ulong pages = piece.Length >> Paging.PageShift;
                    isInFrames |= memory!.ClaimForDiscard(piece.Page, pages, ref dropped);
                }
            }
            isDone = true;
        }
        finally
        {
            // A pager threw: what it was not asked about stays.
            if (!isDone) KeepClaimed(ranges);
        }
        return isInFrames;
    }

    [AllocationFree]
    private void KeepClaimed(ReadOnlySpan<GpaRange> ranges)
    {
        foreach (ref readonly GpaRange range in ranges)
        {
            ulong at = range.Start.Value;
            while (TryNextPiece(ref at, range.Start.Value + range.Length, out MapEntry piece, out VmObject? memory))
            {
                if ((piece.ProtMax & Prot.Write) == 0) continue;
                memory!.KeepClaimed(piece.Page, piece.Length >> Paging.PageShift);
            }
        }
    }

    [AllocationFree]
    private void EndDiscard(ReadOnlySpan<GpaRange> ranges, bool tells)
    {
        foreach (ref readonly GpaRange range in ranges)
        {
            ulong at = range.Start.Value;
            while (TryNextPiece(ref at, range.Start.Value + range.Length, out MapEntry piece, out VmObject? memory))
            {
                if ((piece.ProtMax & Prot.Write) == 0) continue;
                memory!.EndDiscard(piece.Page, piece.Length >> Paging.PageShift, tells);
            }
        }
    }

    /// <summary>
    /// Removes the claimed pages from every table: one generation of each space, however many ranges.
    /// </summary>
    [AllocationFree]
    private void RemoveEverywhere(ReadOnlySpan<GpaRange> ranges, ReadOnlySpan<Vmspace> others)
    {
        RemoveShown(this, ranges);
        foreach (Vmspace space in others)
        {
            if (!ReferenceEquals(space, this) && !space._destroyed) space.RemoveShown(this, ranges);
        }
    }

    /// <summary>Removes from the tables of this space what some ranges of another one show, or of itself.</summary>
    [AllocationFree]
    private void RemoveShown(Vmspace owner, ReadOnlySpan<GpaRange> ranges)
    {
        bool isOwn = ReferenceEquals(owner, this);
        bool shows = false;
        var gather = new ShootdownGather(Consumers, Limbo);
        EnterControl();
        foreach (ref readonly GpaRange range in ranges)
        {
            ulong at = range.Start.Value;
            ulong end = at + range.Length;
            while (owner.TryNextPiece(ref at, end, out MapEntry piece, out VmObject? memory))
            {
                if ((piece.ProtMax & Prot.Write) == 0) continue;
                if (!memory!.IsPrivate)
                {
                    shows |= RemoveObject(memory, in piece, ref gather);
                }
                else if (isOwn)
                {
                    shows = true;
                    Pmap.Remove(piece.Start, piece.Length, _control.Frames, ref gather);
                }
            }
        }
        LeaveControl();
        // Also when nothing was mapped: an earlier removal may have been nobody's wait.
        if (shows) gather.CommitAndWait();
        Limbo.Recycle();
    }

    /// <summary>Removes a run of an object's pages wherever this space shows them.</summary>
    [AllocationFree]
    private bool RemoveObject(VmObject memory, in MapEntry run, ref ShootdownGather gather)
    {
        bool shows = false;
        ulong runEnd = run.PageAt(run.End);
        ulong at = 0;
        while (TryNextPiece(ref at, ulong.MaxValue, out MapEntry piece, out VmObject? shown))
        {
            ulong first = ulong.Max(run.Page, piece.Page);
            ulong end = ulong.Min(runEnd, piece.PageAt(piece.End));
            if (!ReferenceEquals(shown, memory) || first >= end) continue;
            ulong gpa = piece.Start + ((first - piece.Page) << Paging.PageShift);
            Pmap.Remove(gpa, (end - first) << Paging.PageShift, _control.Frames, ref gather);
            shows = true;
        }
        return shows;
    }

    /// <summary>Does a range show pages that other places may show too?</summary>
    [AllocationFree]
    private bool ShowsShared(ReadOnlySpan<GpaRange> ranges)
    {
        foreach (ref readonly GpaRange range in ranges)
        {
            ulong at = range.Start.Value;
            while (TryNextPiece(ref at, range.Start.Value + range.Length, out _, out VmObject? memory))
            {
                if (!memory!.IsPrivate) return true;
            }
        }
        return false;
    }

    /// <summary>Refuses ranges that are wired in part, here or wherever else their pages are shown.</summary>
    [AllocationFree]
    private void RefuseWiredIn(ReadOnlySpan<GpaRange> ranges, ReadOnlySpan<Vmspace> others)
    {
        foreach (ref readonly GpaRange range in ranges)
        {
            ulong at = range.Start.Value;
            while (TryNextPiece(ref at, range.Start.Value + range.Length, out MapEntry piece, out VmObject? memory))
            {
                ulong page = piece.Page;
                bool isWired = piece.Wires != 0 || (!memory!.IsPrivate
                    && memory.TryFindWired(piece.Page, piece.Length >> Paging.PageShift, out page));
                if (!isWired) continue;
                MapException.ThrowWired("discarded", range.Start.Value, range.Length,
                    piece.Start + ((page - piece.Page) << Paging.PageShift));
            }
        }
    }
}
