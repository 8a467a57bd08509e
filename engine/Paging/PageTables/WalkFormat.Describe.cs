using Pagoda.Core;

namespace Pagoda.PageTables;

public readonly partial struct WalkFormat
{
    /// <summary>Takes an entry apart, by the rules of the walk; for EPT, NPT and x86 in long mode.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="level">The level of its table: 1 is the leaf table.</param>
    public EntryFacts Describe(ulong entry, int level)
    {
        Invariant.Require(Table is WalkTable.Ept or WalkTable.Npt or WalkTable.X86Long);
        Invariant.Require(level >= Paging.PtLevel);
        Invariant.Require(level <= Levels);
        bool isLeaf = IsLeaf(entry, level);
        return Table == WalkTable.Ept ? DescribeEpt(entry, level, isLeaf) : DescribeX86(entry, level, isLeaf);
    }

    private EntryFacts DescribeEpt(ulong entry, int level, bool isLeaf)
    {
        if ((entry & EptBits.Rights) == 0) return new EntryFacts { Ignored = entry };
        ulong reserved = entry & Reserved(level, isLeaf);
        bool isIllegal = ((IllegalLowBits >> (int)(entry & WalkBits.EptLow)) & 1) != 0;
        ulong used = EptBits.Rights | FrameMask | (level > Paging.PtLevel ? EptBits.PageSize : 0)
            | (isLeaf ? EptBits.MemoryTypeMask | EptBits.IgnorePat : 0)
            | (HasAccessedDirty ? EptBits.Accessed | (isLeaf ? EptBits.Dirty : 0) : 0);
        return new EntryFacts
        {
            Kind = reserved != 0 || isIllegal ? EntryKind.Malformed : isLeaf ? EntryKind.Leaf : EntryKind.Table,
            Address = AddressOf(entry, level, isLeaf),
            Rights = (Prot)(entry & EptBits.Rights),
            IsUser = true,
            IsAccessed = HasAccessedDirty && (entry & EptBits.Accessed) != 0,
            IsDirty = HasAccessedDirty && isLeaf && (entry & EptBits.Dirty) != 0,
            MemoryType = isLeaf ? (int)((entry & EptBits.MemoryTypeMask) >> EptBits.MemoryTypeShift) : 0,
            IgnoresPat = isLeaf && (entry & EptBits.IgnorePat) != 0,
            Reserved = reserved,
            Ignored = entry & ~(used | reserved),
        };
    }

    private EntryFacts DescribeX86(ulong entry, int level, bool isLeaf)
    {
        if ((entry & X86Bits.Present) == 0) return new EntryFacts { Ignored = entry };
        ulong reserved = entry & Reserved(level, isLeaf);
        bool isFetchable = !HasNoExecute || (entry & X86Bits.NoExecute) == 0;
        bool isWritable = (entry & X86Bits.Writable) != 0;
        ulong pat = level == Paging.PtLevel ? X86Bits.PagePat : X86Bits.SuperpagePat;
        ulong used = X86Bits.Present | X86Bits.Writable | X86Bits.User | X86Bits.WriteThrough | X86Bits.CacheDisable
            | X86Bits.Accessed | FrameMask | (HasNoExecute ? X86Bits.NoExecute : 0) | X86Bits.PageSize
            | (isLeaf ? X86Bits.Dirty | X86Bits.Global : 0);
        return new EntryFacts
        {
            Kind = reserved != 0 ? EntryKind.Malformed : isLeaf ? EntryKind.Leaf : EntryKind.Table,
            Address = AddressOf(entry, level, isLeaf),
            Rights = Prot.Read | (isWritable ? Prot.Write : Prot.None) | (isFetchable ? Prot.Execute : Prot.None),
            IsUser = (entry & X86Bits.User) != 0,
            IsAccessed = (entry & X86Bits.Accessed) != 0,
            IsDirty = isLeaf && (entry & X86Bits.Dirty) != 0,
            MemoryType = ((entry & X86Bits.WriteThrough) != 0 ? 1 : 0) | ((entry & X86Bits.CacheDisable) != 0 ? 2 : 0)
                | (isLeaf && (entry & pat) != 0 ? 4 : 0),
            IsGlobal = isLeaf && (entry & X86Bits.Global) != 0,
            Reserved = reserved,
            Ignored = entry & ~(used | reserved),
        };
    }

    private static ulong AddressOf(ulong entry, int level, bool isLeaf)
    {
        ulong below = isLeaf ? (1UL << Paging.LevelShift(level)) - 1 : 0;
        return entry & FrameMask & ~below;
    }
}
