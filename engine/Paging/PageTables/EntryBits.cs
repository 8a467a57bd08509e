namespace Pagoda.PageTables;

/// <summary>
/// Bits of an extended-page-table entry (Intel SDM volume 3, "EPT translation mechanism"). Raw bits are named by
/// <c>PteFormat</c> and <c>WalkFormat</c> alone: everything else works with the masks of its format.
/// </summary>
internal static class EptBits
{
    public const ulong Read = 1UL << 0;
    public const ulong Write = 1UL << 1;
    public const ulong Execute = 1UL << 2;

    /// <summary>Read, write and execute: an entry is present if any of them is set.</summary>
    public const ulong Rights = Read | Write | Execute;

    /// <summary>Memory type of a leaf, bits 5:3. 2, 3 and 7 are misconfigurations.</summary>
    public const int MemoryTypeShift = 3;
    public const ulong MemoryTypeMask = 7UL << MemoryTypeShift;

    /// <summary>The guest's PAT is ignored.</summary>
    public const ulong IgnorePat = 1UL << 6;

    /// <summary>A leaf, in an entry of level 2 or 3.</summary>
    public const ulong PageSize = 1UL << 7;

    /// <summary>Accessed, if the EPTP switches the flags on.</summary>
    public const ulong Accessed = 1UL << 8;

    /// <summary>Dirty, in a leaf, if the EPTP switches the flags on.</summary>
    public const ulong Dirty = 1UL << 9;

    /// <summary>Suppress #VE; has no effect while the #VE control is off.</summary>
    public const ulong SuppressVe = 1UL << 63;

    /// <summary>Bits 6:3, which must be 0 in an entry that points to a table.</summary>
    public const ulong TableReserved = MemoryTypeMask | IgnorePat;

    /// <summary>Every bit that hardware may read below the frame, and bit 63.</summary>
    public const ulong Hardware = Rights | MemoryTypeMask | IgnorePat | PageSize | Accessed | Dirty | SuppressVe;
}

/// <summary>Fields of the EPT pointer (Intel SDM volume 3, table "Format of Extended-Page-Table Pointer").</summary>
internal static class EptpBits
{
    /// <summary>Memory type write-back for the paging structures.</summary>
    public const ulong WriteBack = 6;

    /// <summary>Levels minus one, bits 5:3.</summary>
    public const int LevelsShift = 3;
    public const ulong LevelsMask = 7UL << LevelsShift;

    /// <summary>Accessed and dirty flags are on.</summary>
    public const ulong AccessedDirty = 1UL << 6;
}

/// <summary>
/// Bits of a long-mode or PAE x86 entry, which AMD's nested tables use too (AMD64 APM volume 2, "Page-Translation-Table
/// Entry Fields"; Intel SDM volume 3, "4-level paging").
/// </summary>
internal static class X86Bits
{
    public const ulong Present = 1UL << 0;
    public const ulong Writable = 1UL << 1;
    public const ulong User = 1UL << 2;
    public const ulong WriteThrough = 1UL << 3;
    public const ulong CacheDisable = 1UL << 4;
    public const ulong Accessed = 1UL << 5;
    public const ulong Dirty = 1UL << 6;

    /// <summary>A leaf, in an entry of level 2 or 3.</summary>
    public const ulong PageSize = 1UL << 7;

    /// <summary>High bit of the PAT index in a 4 KiB leaf.</summary>
    public const ulong PagePat = 1UL << 7;

    public const ulong Global = 1UL << 8;

    /// <summary>High bit of the PAT index in a superpage leaf.</summary>
    public const ulong SuperpagePat = 1UL << 12;

    public const ulong NoExecute = 1UL << 63;

    /// <summary>Every bit that hardware may read below the frame, and bit 63.</summary>
    public const ulong Hardware = 0x1FF | NoExecute;
}

/// <summary>Bits that hardware ignores in every format and that the engine gives a meaning.</summary>
internal static class SoftwareBits
{
    /// <summary>The leaf maps an arena frame whose marks the engine keeps.</summary>
    public const ulong Managed = 1UL << 10;

    /// <summary>The mapping must not be taken away by reclaim.</summary>
    public const ulong Wired = 1UL << 11;

    /// <summary>Emulated accessed and dirty: the entry is valid.</summary>
    public const ulong EmulatedValid = 1UL << 52;

    /// <summary>Emulated accessed and dirty: writing is allowed.</summary>
    public const ulong EmulatedWritable = 1UL << 53;

    /// <summary>Emulated accessed and dirty: execute is allowed, and the entry is not accessed.</summary>
    public const ulong ParkedExecute = 1UL << 54;

    /// <summary>A superpage may be written once it is demoted: writing is allowed, and no page has M.</summary>
    public const ulong ParkedWrite = 1UL << 56;

    /// <summary>The lock of a window, in its PDE or in the PDPTE of a 1 GiB leaf.</summary>
    public const ulong WindowLock = 1UL << 55;

    public const ulong All = Managed | Wired | EmulatedValid | EmulatedWritable | ParkedExecute | WindowLock
        | ParkedWrite;

    // A false one is error CS0031.
    private const byte NoneIsEptHardware = (All & EptBits.Hardware) == 0 ? 0 : -1;
    private const byte NoneIsX86Hardware = (All & X86Bits.Hardware) == 0 ? 0 : -1;
    private const byte EptReadIsPresent = EptBits.Read == X86Bits.Present ? 0 : -1;
    private const byte EptExecuteIsUser = EptBits.Execute == X86Bits.User ? 0 : -1;
}
