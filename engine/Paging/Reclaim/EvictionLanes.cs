using Pagoda.Core;

namespace Pagoda.Reclaim;

/// <summary>The pages of one batch that are being taken out of their frames, by column. Zero is empty.</summary>
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

    /// <summary>Every lane.</summary>
    public readonly ulong All => Count == Max ? ulong.MaxValue : (1UL << Count) - 1;

    /// <summary>Adds a page, in the order of objects and their pages, as pagers want them.</summary>
    public void Insert(ulong* word, ulong page, uint pfn, uint memory)
    {
        Invariant.Assert(Count < Max);
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
    }

    private readonly bool IsBefore(uint memory, ulong page, int lane) =>
        memory < Object[lane] || (memory == Object[lane] && page < Page[lane]);
}
