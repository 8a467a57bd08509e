using Pagoda.Core;

namespace Pagoda.PageTables;

/// <summary>What an entry is to the hardware.</summary>
public enum EntryKind : byte
{
    /// <summary>Not present: nothing else of it counts.</summary>
    Absent = 0,

    /// <summary>It points to a table.</summary>
    Table,

    /// <summary>It maps memory.</summary>
    Leaf,

    /// <summary>Present, with bits that hardware refuses: EPT misconfiguration, or a reserved-bit fault.</summary>
    Malformed,
}

/// <summary>One page-table entry, taken apart for people and tools. Rights are its own, not the path's.</summary>
[AllocationFree]
public struct EntryFacts
{
    /// <summary>What it is.</summary>
    public EntryKind Kind;

    /// <summary>The host-physical address of the table, or of the first byte of the mapped memory.</summary>
    public ulong Address;

    /// <summary>What the entry allows. Without NX support everything present may be executed.</summary>
    public Prot Rights;

    /// <summary>User accesses are allowed: U/S in x86 and NPT; always true for EPT.</summary>
    public bool IsUser;

    /// <summary>The accessed bit, where the walk keeps one.</summary>
    public bool IsAccessed;

    /// <summary>The dirty bit, where the walk keeps one; only of a leaf.</summary>
    public bool IsDirty;

    /// <summary>Of a leaf: EPT memory type (0 UC, 1 WC, 4 WT, 5 WP, 6 WB), else the index into the PAT.</summary>
    public int MemoryType;

    /// <summary>Of an EPT leaf: the guest's PAT does not count.</summary>
    public bool IgnoresPat;

    /// <summary>Of an x86 leaf: global.</summary>
    public bool IsGlobal;

    /// <summary>Of a malformed entry: the reserved bits that are set. 0: rights or memory type are illegal.</summary>
    public ulong Reserved;

    /// <summary>The bits that hardware ignores: software's.</summary>
    public ulong Ignored;
}
