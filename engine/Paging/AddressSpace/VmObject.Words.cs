using System.Numerics;
using System.Runtime.CompilerServices;
using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.AddressSpace;

/// <summary>The index: finding and making page words. The caller is in a consumer slot, or is alone.</summary>
public sealed unsafe partial class VmObject
{
    /// <summary>The word of a page; null when no page of its window was ever touched, which means Absent.</summary>
    [AllocationFree]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ulong* FindWord(ulong page)
    {
        Invariant.Assert(page < LengthPages);
        uint pfn = Shared.Load(_windows + (page >> PageWord.WindowShift));
        if (pfn == 0) return null;
        return (ulong*)(_directMap + ((ulong)pfn << Paging.PageShift)) + (page & (PageWord.WordsPerWindow - 1));
    }

    /// <summary>The word of a page, in an index frame of its own if need be; null when there is no frame.</summary>
    [AllocationFree]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ulong* MakeWord(ulong page, FrameCache frames)
    {
        ulong* word = FindWord(page);
        if (word == null && TryMakeWindow(page >> PageWord.WindowShift, frames)) word = FindWord(page);
        return word;
    }

    /// <summary>Gives the frames of a run of pages an age; returns how many there are.</summary>
    [AllocationFree]
    internal ulong SetAges(ulong first, ulong count, byte generation)
    {
        ulong end = first + count;
        ulong aged = 0;
        for (ulong page = first; page < end && TryFindTouched(page, out page) && page < end; page++)
        {
            ulong seen = Shared.Load(FindWord(page));
            if (PageWord.StateOf(seen) != PageState.Resident) continue;
            // A hint: when the page goes meanwhile, its frame's next page sets its own.
            Shared.Store(_frames.Ages + (PageWord.HpaOf(seen) >> Paging.PageShift), generation);
            aged++;
        }
        return aged;
    }

    /// <summary>The number of the first page at or behind <paramref name="page"/> whose window has words.</summary>
    /// <returns>False when no window behind has any.</returns>
    [AllocationFree]
    internal bool TryFindTouched(ulong page, out ulong touched)
    {
        ulong windows = WindowsOf(LengthPages);
        ulong window = page >> PageWord.WindowShift;
        while (window < windows)
        {
            if (Shared.Load(_windows + window) != 0)
            {
                touched = ulong.Max(page, window << PageWord.WindowShift);
                return touched < LengthPages;
            }
            window++;
            if ((window & ((1UL << SummaryShift) - 1)) == 0) window = FirstInSummary(window >> SummaryShift);
        }
        touched = 0;
        return false;
    }

    /// <summary>The first window of the first group at or behind one that has a touched window.</summary>
    [AllocationFree]
    private ulong FirstInSummary(ulong group)
    {
        ulong words = SummaryWordsOf(LengthPages);
        ulong word = group >> 6;
        ulong bits = word < words ? Shared.Load(_summary + word) & ulong.MaxValue << (int)(group & 63) : 0;
        while (bits == 0)
        {
            if (++word >= words) return WindowsOf(LengthPages);
            bits = Shared.Load(_summary + word);
        }
        return ((word << 6) + (uint)BitOperations.TrailingZeroCount(bits)) << SummaryShift;
    }

    [AllocationFree]
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryMakeWindow(ulong window, FrameCache frames)
    {
        if (!frames.TryTake(out uint pfn)) return false;
        // Another fault may be faster, which is as good.
        AddWindow(window, pfn);
        return true;
    }

    /// <summary>Makes a frame of words those of a window; false, and the frame is free, when it has some.</summary>
    [AllocationFree]
    private bool AddWindow(ulong window, uint pfn)
    {
        _frames.ToIndex(pfn, Id, (uint)window);
        // Before the window can be used: a sweep that must see its pages comes after their faults.
        ulong group = window >> SummaryShift;
        Shared.Or(_summary + (group >> 6), 1UL << (int)(group & 63));
        // Locked, so the words are in it before anybody can see them; where the frame is zero they are Absent.
        if (Shared.CompareExchange(_windows + window, pfn, 0) == 0) return true;
        // Nobody saw this frame, but its state has moved on.
        Arena.Allocator.Give(pfn, 0);
        return false;
    }

    private void FreeIndex()
    {
        ulong page = 0;
        while (TryFindTouched(page, out page))
        {
            ulong window = page >> PageWord.WindowShift;
            Arena.Allocator.Give(Shared.Exchange(_windows + window, 0), 0);
            page = (window + 1) << PageWord.WindowShift;
        }
    }
}
