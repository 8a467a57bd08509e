using System.Runtime.CompilerServices;
using Pagoda.Core;

namespace Pagoda.AddressSpace;

/// <summary>
/// The state machine of a page: one 8-byte word in its object's index, and the one table of its transitions.
/// </summary>
/// <remarks>
/// <code>
///    63            12 11     8  7    6         5         4      3     0
///   +----------------+--------+---+---------+---------+------+---------+
///   |    payload     | before | - | WRITTEN | RESCUED | WAIT |  state  |
///   +----------------+--------+---+---------+---------+------+---------+
/// </code>
/// The payload of a frame lies where the address lies in an entry, so that word and mask is the HPA. A Busy word keeps
/// the payload and, in <i>before</i>, the state that it was claimed from: a fault that cannot be served puts the page
/// back without having remembered anything.
/// WAIT: somebody waits until the word changes; whoever takes a word out of Busy wakes all.
/// RESCUED: a fault mapped the page while its owner was taking it away; only the owner acts on it.
/// WRITTEN: the page lost its frame before a harvest had reported that it was written; its next frame gets the mark.
/// A word is changed by locked operations alone: an object may be mapped under several window locks at once.
/// A zeroed word is Absent, so that a fresh index window needs no initialisation.
/// </remarks>
[AllocationFree]
public static unsafe class PageWord
{
    /// <summary>Pages that one index window describes: what fits an arena frame.</summary>
    public const int WordsPerWindow = Paging.EntriesPerTable;

    /// <summary>log2 of <see cref="WordsPerWindow"/>.</summary>
    public const int WindowShift = Paging.IndexBits;

    /// <summary>Somebody sleeps until the word changes.</summary>
    public const ulong Wait = 1UL << 4;

    /// <summary>A fault mapped the page while it was being taken away.</summary>
    public const ulong Rescued = 1UL << 5;

    /// <summary>A page without a frame was written, and no harvest has reported it.</summary>
    public const ulong Written = 1UL << 6;

    /// <summary>The bits of the payload.</summary>
    public const ulong PayloadMask = ~(ulong)Paging.PageOffsetMask;

    private const ulong StateMask = 0xF;
    private const int BeforeShift = 8;
    private const int StateCount = 8;

    // One bit a state that may follow; row = the state before. What is not here is an assertion.
    //                                                 Poi Lau Evi Swa Res Bus Zer Abs
    private const byte FromAbsent = 0b0000_1100;     //  -   -   -   -   R   B   -   -
    private const byte FromZero = 0b0000_1101;       //  -   -   -   -   R   B   -   A
    private const byte FromBusy = 0b1001_1011;       //  P   -   -   S   R   -   Z   A
    private const byte FromResident = 0b0110_0101;   //  -   L   E   -   -   B   -   A
    private const byte FromSwapped = 0b0000_0101;    //  -   -   -   -   -   B   -   A
    private const byte FromEvicting = 0b1001_1011;   //  P   -   -   S   R   -   Z   A
    private const byte FromLaundering = 0b1000_1001; //  P   -   -   -   R   -   -   A
    private const byte FromPoisoned = 0b0000_0001;   //  -   -   -   -   -   -   -   A

    private const ulong Following = FromAbsent | (ulong)FromZero << 8 | (ulong)FromBusy << 16
        | (ulong)FromResident << 24 | (ulong)FromSwapped << 32 | (ulong)FromEvicting << 40
        | (ulong)FromLaundering << 48 | (ulong)FromPoisoned << 56;

    /// <summary>The state of a word.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PageState StateOf(ulong word) => (PageState)(word & StateMask);

    /// <summary>The frame of a Resident, Evicting or Laundering word, as an HPA.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong HpaOf(ulong word) => word & PayloadMask;

    /// <summary>The payload as a number: slot or reason.</summary>
    public static ulong PayloadOf(ulong word) => word >> Paging.PageShift;

    /// <summary>The state that a Busy word was claimed from.</summary>
    public static PageState BeforeOf(ulong word) => (PageState)(word >> BeforeShift & StateMask);

    /// <summary>May <paramref name="after"/> follow <paramref name="before"/>?</summary>
    public static bool MayFollow(PageState before, PageState after) =>
        (int)before < StateCount && (int)after < StateCount
        && (Following >> (8 * (int)before + (int)after) & 1) != 0;

    /// <summary>A Resident word.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Resident(ulong hpa)
    {
        Invariant.Assert((hpa & ~PayloadMask) == 0);
        return hpa | (ulong)PageState.Resident;
    }

    /// <summary>The word of a page that its one owner takes out of its frame.</summary>
    public static ulong Evicting(ulong hpa)
    {
        Invariant.Assert((hpa & ~PayloadMask) == 0);
        return hpa | (ulong)PageState.Evicting;
    }

    /// <summary>The word of a page that its one owner writes ahead, and that stays.</summary>
    public static ulong Laundering(ulong hpa)
    {
        Invariant.Assert((hpa & ~PayloadMask) == 0);
        return hpa | (ulong)PageState.Laundering;
    }

    /// <summary>A word without a frame: Swapped with its slot, Poisoned with its reason.</summary>
    public static ulong Of(PageState state, ulong payload) => payload << Paging.PageShift | (ulong)state;

    /// <summary>The Busy word that claims a page out of <paramref name="word"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Claimed(ulong word)
    {
        Invariant.Assert(MayFollow(StateOf(word), PageState.Busy));
        return word & (PayloadMask | Written) | (word & StateMask) << BeforeShift | (ulong)PageState.Busy;
    }

    /// <summary>The word that a claim was made from.</summary>
    public static ulong Unclaimed(ulong busy)
    {
        Invariant.Assert(StateOf(busy) == PageState.Busy);
        return busy & (PayloadMask | Written) | busy >> BeforeShift & StateMask;
    }

    /// <summary>Moves a word on if it still is <paramref name="before"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryMove(ulong* word, ulong before, ulong after)
    {
        Invariant.Assert(MayFollow(StateOf(before), StateOf(after)));
        return Shared.CompareExchange(word, after, before) == before;
    }

    /// <summary>
    /// Ends a claim or an ownership: publishes the new state and takes the old word in one step, then wakes whoever
    /// sleeps on it.
    /// </summary>
    /// <returns>True when somebody waited.</returns>
    public static bool Publish(ulong* word, ulong after)
    {
        if (Planted.Is(PlantedFault.WakesBeforePublication)) Wake(word, Shared.Load(word));
        ulong before = Shared.Exchange(word, after);
        Invariant.Require(MayFollow(StateOf(before), StateOf(after)));
        if (Planted.Is(PlantedFault.WakesBeforePublication)) return true;
        if (Planted.Is(PlantedFault.ErrorWakesNobody) && StateOf(after) != PageState.Resident) return true;
        return Wake(word, before);
    }

    /// <summary>Ends an ownership if the word still is <paramref name="before"/>, as a publication does.</summary>
    public static bool TryPublish(ulong* word, ulong before, ulong after)
    {
        if (!TryMove(word, before, after)) return false;
        Wake(word, before);
        return true;
    }

    /// <summary>
    /// Sleeps until a word that <see cref="TryMark"/> marked with <see cref="Wait"/> changes. The caller is in no slot
    /// and owns no page; it looks again afterwards, from the start.
    /// </summary>
    /// <param name="word">The word.</param>
    /// <param name="seen">What it was, with the mark or without.</param>
    public static void Sleep(ulong* word, ulong seen)
    {
        if (!Planted.Is(PlantedFault.SleepsUnmarked)) seen |= Wait;
        if (Planted.Is(PlantedFault.TestsThenSleeps)) seen = Shared.Load(word);
        Core.Wait.OnWord(word, seen);
    }

    /// <summary>
    /// Marks a word of a page in flight so that its owner wakes, or spares, it. False: the word moved on.
    /// </summary>
    public static bool TryMark(ulong* word, ulong seen, ulong mark)
    {
        Invariant.Assert(mark is Wait or Rescued);
        if (Planted.Is(PlantedFault.SleepsUnmarked) && mark == Wait) return true;
        return (seen & mark) != 0 || Shared.CompareExchange(word, seen | mark, seen) == seen;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Wake(ulong* word, ulong before)
    {
        if ((before & Wait) == 0) return false;
        if (Planted.Is(PlantedFault.WakesOne)) Planted.WakeOne(word);
        else Core.Wait.WakeAll(word);
        return true;
    }
}
