using Pagoda.AddressSpace;
using Pagoda.Core;

namespace Pagoda.Reclaim;

/// <summary>
/// The pages of one batch that are being taken out of their frames, or written ahead, by column. Zero is empty.
/// </summary>
/// <remarks>One thread at a time owns a batch; pages and words in it belong to that thread.</remarks>
[AllocationFree]
internal unsafe struct EvictionLanes
{
    /// <summary>Pages of one batch; a set of lanes is one 64-bit word.</summary>
    public const int Max = 64;

    /// <summary>How many lanes there are.</summary>
    public int Count;

    /// <summary>The page's word, a pointer: Evicting, and ours.</summary>
    public fixed ulong Word[Max];

    /// <summary>The page's index in its object.</summary>
    public fixed ulong Page[Max];

    /// <summary>The frame, by number.</summary>
    public fixed uint Frame[Max];

    /// <summary>The object, by its number. It lives as long as one of its pages is Evicting.</summary>
    public fixed uint Object[Max];

    /// <summary>Lanes that stay in their frames: wired, held, written to since, or not stored.</summary>
    public ulong Spared;

    /// <summary>Lanes whose dirty flag was taken.</summary>
    public ulong Dirty;

    /// <summary>Lanes whose dirty content is all zero.</summary>
    public ulong Zero;

    /// <summary>
    /// Spaces of a batch whose generations are kept; a batch that more spaces show waits for all at once.
    /// </summary>
    public const int SpacesMax = 8;

    /// <summary>How many spaces showed a page of it.</summary>
    public int Spaces;

    /// <summary>The space, by its place in the list that the batch was taken with.</summary>
    public fixed int Space[SpacesMax];

    /// <summary>The generation of that space that must have been acknowledged.</summary>
    public fixed ulong Tag[SpacesMax];

    /// <summary>More spaces than there is room for.</summary>
    public bool IsCrowded;

    /// <summary>A space that may show a page of it was being changed, so all stay.</summary>
    public bool MetChange;

    /// <summary>Some page is of memory that other places may show than the space that it was chosen from.</summary>
    public bool IsShared;

    /// <summary>The pages are written ahead and stay; otherwise they go.</summary>
    public bool IsLaundry;

    /// <summary>What kept a page of it from being stored; Enough for nothing.</summary>
    public ReclaimEnd Trouble;

    /// <summary>Every lane.</summary>
    public readonly ulong All => Count == Max ? ulong.MaxValue : (1UL << Count) - 1;

    /// <summary>Adds a page, in the order of objects and their pages, as pagers want them.</summary>
    public void Insert(ulong* word, ulong page, uint pfn, VmObject from)
    {
        Invariant.Assert(Count < Max);
        uint memory = from.Id;
        IsShared |= !from.IsPrivate;
        int at = Count++;
        for (; at > 0 && IsBefore(memory, page, at - 1); at--)
        {
            Word[at] = Word[at - 1];
            Page[at] = Page[at - 1];
            Frame[at] = Frame[at - 1];
            Object[at] = Object[at - 1];
        }
        Word[at] = (ulong)word;
        Page[at] = page;
        Frame[at] = pfn;
        Object[at] = memory;
    }

    /// <summary>Empties the batch.</summary>
    public void Clear()
    {
        Count = 0;
        Spared = 0;
        Dirty = 0;
        Zero = 0;
        Spaces = 0;
        IsCrowded = false;
        IsLaundry = false;
        IsShared = false;
        MetChange = false;
        Trouble = ReclaimEnd.Enough;
    }

    /// <summary>Notes that a space showed a page of the batch.</summary>
    public void AddSpace(int index)
    {
        IsCrowded |= Spaces == SpacesMax;
        if (!IsCrowded) Space[Spaces++] = index;
    }

    private readonly bool IsBefore(uint memory, ulong page, int lane) =>
        memory < Object[lane] || (memory == Object[lane] && page < Page[lane]);
}
