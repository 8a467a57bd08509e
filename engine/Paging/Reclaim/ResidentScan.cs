using Pagoda.AddressSpace;
using Pagoda.Core;

namespace Pagoda.Reclaim;

/// <summary>A walk over the page words of what a space shows: pages in frames, mapped or not, ascending.</summary>
/// <remarks>
/// The caller has the space locked for reclaim, so the map does not change and the objects live. A page that the space
/// shows in two places is met twice.
/// </remarks>
[AllocationFree]
internal static unsafe class ResidentScan
{
    /// <summary>Words of one stay in the slot; more would hold the guest's shootdowns up.</summary>
    public const ulong WordsMax = 1 << 16;

    /// <summary>Walks on from an address.</summary>
    /// <param name="space">The space.</param>
    /// <param name="at">Where to start; where to go on. Meaningless when everything was seen.</param>
    /// <param name="visitor">Is shown the pages.</param>
    /// <returns>True when the end was reached.</returns>
    public static bool Run<TVisitor>(Vmspace space, ref ulong at, ref TVisitor visitor)
        where TVisitor : struct, IResidentVisitor, allows ref struct
    {
        ulong words = WordsMax;
        while (space.Map.TryFindFrom(at, out MapEntry entry, out VmObject? memory, out _))
        {
            at = ulong.Max(at, entry.Start);
            bool isMemory = entry.Kind == MapKind.Memory;
            if (isMemory && !RunEntry(in entry, memory!, ref at, ref words, ref visitor)) return false;
            at = entry.End;
        }
        return true;
    }

    /// <summary>One entry; false when the scan ends before the entry does.</summary>
    private static bool RunEntry<TVisitor>(in MapEntry entry, VmObject memory, ref ulong at, ref ulong words,
        ref TVisitor visitor)
        where TVisitor : struct, IResidentVisitor, allows ref struct
    {
        ulong page = entry.PageAt(at);
        ulong end = entry.PageAt(entry.End);
        while (page < end && memory.TryFindTouched(page, out page) && page < end)
        {
            ulong* word = memory.FindWord(page);
            ulong stop = ulong.Min(end, (page | (PageWord.WordsPerWindow - 1)) + 1);
            bool goOn = words > stop - page;
            words -= ulong.Min(words, stop - page);
            for (; page < stop; page++, word++)
            {
                ulong seen = Shared.Load(word);
                if (PageWord.StateOf(seen) != PageState.Resident || visitor.Visit(memory, page, word, seen)) continue;
                page++;
                goOn = false;
                break;
            }
            if (goOn) continue;
            at = entry.Start + ((page - entry.Page) << Paging.PageShift);
            return false;
        }
        return true;
    }
}
