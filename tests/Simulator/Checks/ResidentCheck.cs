using System;
using Pagoda.AddressSpace;
using Pagoda.Core;
using Pagoda.Pagers;
using Pagoda.Simulator.Scenarios;

namespace Pagoda.Simulator.Checks;

/// <summary>What page words and entries say, while nobody runs.</summary>
internal static unsafe class ResidentCheck
{
    /// <summary>A page that neither its entry nor its frame calls written is in its slot, or all zero.</summary>
    public static void CleanPageIsStored(GuestWorld world, int page)
    {
        ulong gpa = world.GpaOf(page);
        VmMap map = world.Guest.Space.Map;
        if (world.Swap is null || !map.TryFind(gpa, out MapEntry entry, out VmObject? memory, out _)) return;
        ulong index = entry.PageAt(gpa);
        ulong* word = memory!.FindWord(index);
        if (word == null) return;
        PageState state = PageWord.StateOf(*word);
        world.Stage.Require(state is not (PageState.Busy or PageState.Evicting or PageState.Laundering),
            "page " + page + " has an owner who is gone: " + state);
        if (state != PageState.Resident) return;
        ulong hpa = PageWord.HpaOf(*word);
        bool isWritten = IsModified(world.Guest, gpa) || (world.Other is not null && IsModified(world.Other, gpa))
            || world.Arena.Frames.IsDirty((uint)(hpa >> Paging.PageShift));
        if (isWritten) return;
        uint slot = ((SwapPager)memory.Pager).SlotOf(index);
        var content = new ReadOnlySpan<byte>(world.Arena.DirectMap(hpa), (int)Paging.PageBytes);
        bool isStored = slot == 0
            ? content.IndexOfAnyExcept((byte)0) < 0 : content.SequenceEqual(world.Store!.SlotAt(slot));
        world.Stage.Require(isStored, "page " + page + " is called clean, but differs from its slot");
    }

    private static bool IsModified(Guest guest, ulong gpa) =>
        (guest.Pmap.Lookup(gpa, out _) & guest.Pmap.Format.Modified) != 0;
}
