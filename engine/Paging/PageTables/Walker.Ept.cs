using Pagoda.Core;

namespace Pagoda.PageTables;

public static unsafe partial class Walker
{
    // SDM volume 3, "EPT Translation Mechanism", "EPT-Induced VM Exits" and "Accessed and Dirty Flags for EPT". An
    // entry is present when any of its rights is set; a present entry that is malformed is a misconfiguration,
    // whatever the rights above it; rights are judged once, at the leaf, by what all entries have in common.
    private static void WalkEpt<TMem>(ref TMem mem, in WalkFormat f, ulong gpa, Prot access, WalkKind kind,
        ref WalkResult r)
        where TMem : struct, IPhysicalMemory
    {
        // Beyond the tables' reach nothing is present (SDM volume 3, "EPT Violations").
        if (gpa >> f.AddressBits != 0)
        {
            FailEpt(gpa, access, kind, rights: 0, ref r);
            return;
        }
        bool isDone;
        do
        {
            r.EntryCount = 0;
            isDone = TryWalkEpt(ref mem, in f, gpa, access, kind, ref r);
            r.Accesses += r.EntryCount;
        }
        while (!isDone);
    }

    // False: an entry changed under the walk.
    private static bool TryWalkEpt<TMem>(ref TMem mem, in WalkFormat f, ulong gpa, Prot access, WalkKind kind,
        ref WalkResult r)
        where TMem : struct, IPhysicalMemory
    {
        int index = 0;
        ulong table = f.Root;
        ulong common = ~0UL;
        ulong entry;
        int level = f.Levels;
        int shift = Paging.LevelShift(level);
        while (true)
        {
            ulong entryHpa = table + (((gpa >> shift) & (Paging.EntriesPerTable - 1)) * sizeof(ulong));
            if (!mem.TryMap(entryHpa, sizeof(ulong), out byte* pointer))
            {
                r.FailOutside(entryHpa);
                r.FaultGpa = gpa;
                return true;
            }
            entry = Shared.Load((ulong*)pointer);
            r.Record(index++, entryHpa, entry);
            common &= entry;
            if ((entry & EptBits.Rights) == 0)
            {
                FailEpt(gpa, access, kind, rights: 0, ref r);
                return true;
            }
            bool isLeaf = f.IsLeaf(entry, level);
            bool isIllegal = ((f.IllegalLowBits >> (int)(entry & WalkBits.EptLow)) & 1) != 0;
            if (isIllegal || (entry & f.Reserved(level, isLeaf)) != 0)
            {
                r.Fail(WalkOutcome.Misconfiguration, 0);
                r.FaultGpa = gpa;
                return true;
            }
            if (isLeaf) break;
            table = entry & WalkFormat.FrameMask;
            level--;
            shift -= Paging.IndexBits;
        }

        var granted = (Prot)(common & EptBits.Rights);
        if ((access & ~granted) != 0)
        {
            FailEpt(gpa, access, kind, common & EptBits.Rights, ref r);
            return true;
        }
        if (f.HasAccessedDirty)
        {
            ulong leafBits = EptBits.Accessed | ((access & Prot.Write) != 0 ? EptBits.Dirty : 0);
            bool isSet = ((common & EptBits.Accessed) != 0) & ((entry & leafBits) == leafBits);
            if (!isSet && !TrySetBits(ref mem, ref r, first: 0, EptBits.Accessed, leafBits)) return false;
            if (((entry | leafBits) & EptBits.Dirty) == 0) granted &= ~Prot.Write;
        }
        ulong offset = gpa & ((1UL << shift) - 1);
        r.Translate((entry & WalkFormat.FrameMask) | offset, shift, granted);
        return true;
    }

    private static void FailEpt(ulong gpa, Prot access, WalkKind kind, ulong rights, ref WalkResult r)
    {
        ulong qualification = (ulong)access | (rights << WalkBits.QualificationRightsShift)
            | WalkBits.QualificationLinear
            | (kind == WalkKind.FinalAccess ? WalkBits.QualificationFinal : 0);
        r.Fail(WalkOutcome.Violation, qualification);
        r.FaultGpa = gpa;
    }
}
