using System;
using Pagoda.Core;
using Pagoda.Physical;

namespace Pagoda.AddressSpace;

/// <summary>
/// The map of a guest: which run of guest-physical addresses shows which run of which VM object, as arrays sorted by
/// address.
/// </summary>
/// <remarks>
/// The starts are a column of their own, because a search reads nothing else; all that is needed of the entry found
/// is in one half cache line. Entries never overlap, are never empty, and two that could be one are one.
/// <para>Readers take no lock: the generation is odd while somebody edits, and a reader whose search met an edit
/// searches again. The arrays never move (their address space is reserved up to the limit), so a search that reads
/// half-made entries reads harmless numbers. Editing needs the change lock of the vmspace. A reader is inside a
/// consumer slot: an object that it found stays alive until it leaves, because whoever unmaps waits for that.</para>
/// <para>The generation is what a fault compares before it enters a translation: an edit ends before the editor
/// starts to take translations away.</para>
/// </remarks>
public sealed unsafe partial class VmMap : IDisposable
{
    /// <summary>Entries that a map holds at most.</summary>
    public const int EntriesMax = 1 << 16;

    // The generation, written by edits alone, has its line for itself: every fault compares it.
    private const int CountOffset = 128;
    private const int HeaderBytes = 256;
    private const int WordsPerEntry = MapEntry.Bytes / sizeof(ulong);

    private readonly NativeRegion _block;
    private readonly ulong* _generation;
    private readonly ulong* _count;
    private readonly ulong* _starts;
    private readonly ulong* _entries;
    private VmObject?[] _objects = new VmObject?[16];
    private int[] _uses = new int[16];

    /// <summary>An empty map.</summary>
    public VmMap()
    {
        _block = NativeRegion.Map((nuint)(HeaderBytes + EntriesMax * (ulong)(sizeof(ulong) + MapEntry.Bytes)));
        _generation = (ulong*)_block.Base;
        _count = (ulong*)(_block.Base + CountOffset);
        _starts = (ulong*)(_block.Base + HeaderBytes);
        _entries = _starts + EntriesMax;
    }

    /// <summary>The generation: even, and changed by every edit; odd while one is under way.</summary>
    [AllocationFree]
    public ulong Generation => Shared.Load(_generation);

    /// <summary>How many entries there are.</summary>
    [AllocationFree]
    public int Count => (int)Shared.Load(_count);

    /// <summary>Frees the arrays. The objects have been let go before.</summary>
    public void Dispose()
    {
        Invariant.Require(Count == 0);
        _block.Dispose();
    }

    /// <summary>The entry that holds an address, its object, and the generation of which that is true.</summary>
    /// <param name="gpa">Any guest-physical address.</param>
    /// <param name="entry">The entry; default when the result is false.</param>
    /// <param name="memory">Its object.</param>
    /// <param name="generation">The map's generation that was searched; also when nothing was found.</param>
    [AllocationFree]
    public bool TryFind(ulong gpa, out MapEntry entry, out VmObject? memory, out ulong generation)
    {
        var wait = default(Wait);
        while (true)
        {
            generation = Shared.Load(_generation);
            if ((generation & 1) == 0)
            {
                bool found = Search(gpa, out entry);
                memory = found ? ObjectAt(entry.Object) : null;
                // Every load above is an acquire, so this one comes after them all.
                if (Shared.Load(_generation) == generation) return found;
            }
            // An editor waits for nothing between the two steps of the generation, so this is short even while active.
            wait.Step();
        }
    }

    /// <summary>The first entry that ends behind an address: the one that holds it, or the next. For walks over a
    /// range.</summary>
    [AllocationFree]
    public bool TryFindFrom(ulong gpa, out MapEntry entry, out VmObject? memory, out ulong generation)
    {
        var wait = default(Wait);
        while (true)
        {
            generation = Shared.Load(_generation);
            if ((generation & 1) == 0)
            {
                int index = FirstEndingBehind(gpa);
                bool found = index < Count;
                entry = found ? EntryAt(index) : default;
                memory = found ? ObjectAt(entry.Object) : null;
                if (Shared.Load(_generation) == generation) return found;
            }
            wait.Step();
        }
    }

    [AllocationFree]
    private bool Search(ulong gpa, out MapEntry entry)
    {
        int index = LastStartingAtOrBefore(gpa);
        if (index < 0)
        {
            entry = default;
            return false;
        }
        entry = EntryAt(index);
        return gpa - entry.Start < entry.Length;
    }

    /// <summary>The index of the last entry whose start is not above the address; -1 when there is none.</summary>
    [AllocationFree]
    private int LastStartingAtOrBefore(ulong gpa)
    {
        ulong* starts = _starts;
        int rest = Count;
        if (rest == 0 || Shared.Load(starts) > gpa) return -1;
        int low = 0;
        while (rest > 1)
        {
            int half = rest >> 1;
            if (Shared.Load(starts + low + half) <= gpa) low += half;
            rest -= half;
        }
        return low;
    }

    /// <summary>The index of the first entry that ends behind the address; the count when there is none.</summary>
    [AllocationFree]
    private int FirstEndingBehind(ulong gpa)
    {
        int index = LastStartingAtOrBefore(gpa);
        if (index < 0) return 0;
        return EntryAt(index).End > gpa ? index : index + 1;
    }

    [AllocationFree]
    private MapEntry EntryAt(int index)
    {
        Invariant.Assert((uint)index < EntriesMax);
        MapEntry entry;
        ulong* from = _entries + index * WordsPerEntry;
        ulong* to = (ulong*)&entry;
        for (int i = 0; i < WordsPerEntry; i++) to[i] = Shared.Load(from + i);
        return entry;
    }

    /// <summary>The object of a slot; null when a torn entry names none.</summary>
    [AllocationFree]
    private VmObject? ObjectAt(int slot)
    {
        VmObject?[] objects = Shared.Load(ref _objects);
        return (uint)slot < (uint)objects.Length ? Shared.Load(ref objects[slot]) : null;
    }
}
