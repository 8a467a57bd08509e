using System;
using Pagoda.Core;

namespace Pagoda.PageTables;

public readonly partial struct WalkFormat
{
    private const ulong Cr0WriteProtect = 1UL << 16;
    private const ulong Cr0Paging = 1UL << 31;
    private const ulong Cr4PageSizeExtensions = 1UL << 4;
    private const ulong Cr4PhysicalAddressExtension = 1UL << 5;
    private const ulong Cr4FiveLevels = 1UL << 12;
    private const ulong Cr4Smep = 1UL << 20;
    private const ulong Cr4Smap = 1UL << 21;
    private const ulong EferLongModeActive = 1UL << 10;
    private const ulong EferNoExecute = 1UL << 11;
    private const ulong PaeRootMask = 0xFFFF_FFE0;
    private const ulong LegacyRootMask = 0xFFFF_F000;
    private const int LegacyAddressBits = 32;
    private const int LegacyLevels = 2;
    private const int PaeLevels = 3;
    private const int FourLevels = 4;
    private const int FiveLevels = 5;

    /// <summary>The tables that an EPTP points to. SDM volume 3, "Extended-Page-Table Pointer".</summary>
    /// <param name="eptp">The whole pointer: walk length at bits 5:3, accessed and dirty flags on at bit 6.</param>
    /// <param name="physBits">Bits of a host-physical address, 32 to 52.</param>
    /// <param name="execOnly">The processor translates through entries with X alone.</param>
    /// <param name="superpages">It has 2 MiB leaves.</param>
    /// <param name="gigapages">It has 1 GiB leaves.</param>
    /// <exception cref="ArgumentException">The walk length is neither 4 nor 5.</exception>
    public static WalkFormat ForEpt(ulong eptp, int physBits, bool execOnly = true, bool superpages = true,
        bool gigapages = true)
    {
        int levels = (int)((eptp & EptpBits.LevelsMask) >> EptpBits.LevelsShift) + 1;
        RequireLevels(levels, nameof(eptp));
        return new WalkFormat(eptp, levels, physBits, execOnly, superpages, gigapages);
    }

    /// <summary>The tables that an nCR3 points to, walked in long mode. APM volume 2, "Nested Paging".</summary>
    /// <param name="ncr3">The nested root; its low 12 bits are ignored.</param>
    /// <param name="physBits">Bits of a host-physical address, 32 to 52.</param>
    /// <param name="levels">4, or 5 when the host runs with CR4.LA57.</param>
    /// <param name="noExecute">The host's EFER.NXE.</param>
    /// <param name="gigapages">The processor has 1 GiB leaves.</param>
    /// <exception cref="ArgumentException">The level count is neither 4 nor 5.</exception>
    public static WalkFormat ForNpt(ulong ncr3, int physBits, int levels = FourLevels, bool noExecute = true,
        bool gigapages = true)
    {
        RequireLevels(levels, nameof(levels));
        return new WalkFormat(WalkTable.Npt, ncr3 & FrameMask, levels, physBits, gigapages, 0, 0,
            noExecute ? EferNoExecute : 0);
    }

    /// <summary>The tables of an x86 processor, in the paging mode that its control registers select.</summary>
    /// <param name="cr0">CR0: PG and WP.</param>
    /// <param name="cr3">CR3; PCID and cache bits are ignored.</param>
    /// <param name="cr4">CR4: PSE, PAE, LA57, SMEP and SMAP.</param>
    /// <param name="efer">EFER: LMA and NXE.</param>
    /// <param name="physBits">Bits of a physical address, 32 to 52.</param>
    /// <param name="gigapages">The processor has 1 GiB leaves.</param>
    /// <remarks>
    /// PAE's PDPTEs are read from memory in each walk, as nested paging does on AMD (APM volume 2, "PAE Paging"), not
    /// held in registers. 4 MiB leaves take address bits 39:32 from bits 20:13 (PSE-36).
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The physical address width is not 32 to 52.</exception>
    public static WalkFormat ForX86(ulong cr0, ulong cr3, ulong cr4, ulong efer, int physBits, bool gigapages = true)
    {
        if ((cr0 & Cr0Paging) == 0) return new WalkFormat(WalkTable.Unpaged, 0, 0, physBits, LegacyAddressBits, false);
        if ((cr4 & Cr4PhysicalAddressExtension) == 0) return new WalkFormat(cr0, cr3, cr4, physBits);
        if ((efer & EferLongModeActive) == 0)
        {
            return new WalkFormat(WalkTable.X86Pae, cr3 & PaeRootMask, PaeLevels, physBits, false, cr0, cr4, efer);
        }
        int levels = (cr4 & Cr4FiveLevels) != 0 ? FiveLevels : FourLevels;
        return new WalkFormat(WalkTable.X86Long, cr3 & FrameMask, levels, physBits, gigapages, cr0, cr4, efer);
    }

    /// <summary>A pmap's tables as the hardware that they are made for sees them.</summary>
    /// <param name="options">What the pmap was made with; its width must be known, not 0.</param>
    /// <param name="rootRegister">The pmap's root: EPTP, nCR3 or CR3.</param>
    /// <exception cref="ArgumentException">The options name no format.</exception>
    public static WalkFormat FromPmap(in PmapOptions options, ulong rootRegister)
    {
        switch (options.Kind)
        {
            case TableKind.Ept:
                return ForEpt(rootRegister, options.PhysBits, options.ExecOnly, options.Superpages, options.Gigapages);
            case TableKind.Rvi:
                return ForNpt(rootRegister, options.PhysBits, options.Levels, noExecute: true, options.Gigapages);
            default:
                ulong cr4 = Cr4PhysicalAddressExtension | (options.Levels == FiveLevels ? Cr4FiveLevels : 0);
                return ForX86(Cr0Paging | Cr0WriteProtect, rootRegister, cr4, EferLongModeActive | EferNoExecute,
                    options.PhysBits, options.Gigapages);
        }
    }

    /// <summary>
    /// Whether VM entry accepts an EPTP: type UC or WB, walk length, reserved bits 11:7, address width. SDM volume 3,
    /// "Checks on VMX Controls".
    /// </summary>
    /// <param name="eptp">The pointer.</param>
    /// <param name="physBits">Bits of a host-physical address.</param>
    /// <param name="accessedDirty">The processor has accessed and dirty flags for EPT.</param>
    /// <param name="fiveLevels">It walks five levels.</param>
    public static bool IsValidEptp(ulong eptp, int physBits, bool accessedDirty, bool fiveLevels)
    {
        RequirePhysBits(physBits);
        ulong type = eptp & WalkBits.EptpMemoryTypeMask;
        if (type is not (WalkBits.TypeUncacheable or WalkBits.TypeWriteBack)) return false;
        int levels = (int)((eptp & EptpBits.LevelsMask) >> EptpBits.LevelsShift) + 1;
        if (levels != FourLevels && !(fiveLevels && levels == FiveLevels)) return false;
        if ((eptp & EptpBits.AccessedDirty) != 0 && !accessedDirty) return false;
        return (eptp & WalkBits.EptpReserved) == 0 && eptp >> physBits == 0;
    }

    // EPT. Bits 6:3 of a table entry, and bit 7 where no leaf can be, are reserved; so are all the bits of a leaf
    // between its type and its frame (SDM volume 3, "Format of an EPT Page-Directory Entry that Maps a 2-MByte Page":
    // bits 20:12, where x86 has PAT at bit 12).
    private WalkFormat(ulong eptp, int levels, int physBits, bool execOnly, bool superpages, bool gigapages)
        : this(WalkTable.Ept, eptp & FrameMask, levels, physBits, AddressBitsOf(levels), gigapages)
    {
        ulong beyond = BeyondPhysical(physBits);
        if (!superpages) LeafLevels &= ~(1 << Paging.PdLevel);
        for (int level = Paging.PtLevel; level <= levels; level++)
        {
            bool canBeLeaf = ((LeafLevels >> level) & 1) != 0;
            if (level <= Paging.PdptLevel) _reserved[level] = beyond | BelowFrame(level);
            _reserved[level + ReservedOfTables] = beyond | EptBits.MemoryTypeMask | EptBits.IgnorePat
                | (canBeLeaf ? 0 : EptBits.PageSize);
        }
        HasAccessedDirty = (eptp & EptpBits.AccessedDirty) != 0;
        for (int low = 0; low <= (int)WalkBits.EptLow; low++)
        {
            ulong rights = (ulong)low & EptBits.Rights;
            ulong type = ((ulong)low & EptBits.MemoryTypeMask) >> EptBits.MemoryTypeShift;
            bool isIllegal = (rights & (EptBits.Read | EptBits.Write)) == EptBits.Write
                || (rights == EptBits.Execute && !execOnly)
                || type is WalkBits.TypeReserved2 or WalkBits.TypeReserved3 or WalkBits.TypeReserved7;
            if (isIllegal) IllegalLowBits |= 1UL << low;
        }
    }

    // PAE and long mode, and AMD's nested tables, which are long mode's with a stricter bit 8. A PDPTE of PAE has bits
    // 2:1, 8:5 and 63 reserved, and its PDEs and PTEs bits 62:52 (SDM volume 3, "PAE Paging").
    private WalkFormat(WalkTable table, ulong root, int levels, int physBits, bool gigapages, ulong cr0, ulong cr4,
        ulong efer)
        : this(table, root, levels, physBits, AddressBitsOf(levels), gigapages)
    {
        WriteProtect = table == WalkTable.Npt || (cr0 & Cr0WriteProtect) != 0;
        Smep = (cr4 & Cr4Smep) != 0;
        Smap = (cr4 & Cr4Smap) != 0;
        HasNoExecute = (efer & EferNoExecute) != 0;
        ulong everywhere = BeyondPhysical(physBits) | (HasNoExecute ? 0 : X86Bits.NoExecute);
        if (table == WalkTable.X86Pae) everywhere |= WalkBits.PaeReserved;
        for (int level = Paging.PtLevel; level <= levels; level++)
        {
            bool canBeLeaf = ((LeafLevels >> level) & 1) != 0;
            if (level <= Paging.PdptLevel) _reserved[level] = everywhere | (BelowFrame(level) & ~X86Bits.SuperpagePat);
            ulong tables = everywhere | (canBeLeaf ? 0 : X86Bits.PageSize);
            // APM volume 2, "Long-Mode Page Translation": bit 8 must be zero where no leaf's global bit can be.
            if (table == WalkTable.Npt && level >= Paging.PdptLevel) tables |= X86Bits.Global;
            _reserved[level + ReservedOfTables] = tables;
        }
        if (table == WalkTable.X86Pae)
        {
            _reserved[PaeLevels + ReservedOfTables] = BeyondPhysical(physBits) | WalkBits.PaeReserved
                | X86Bits.NoExecute | WalkBits.PaePdpteReserved;
        }
    }

    // Two levels of 4-byte entries. The one reserved field is in a 4 MiB leaf: bit 21 and the bits of 20:13 that would
    // stand for an address beyond the physical width (SDM volume 3, "32-Bit Paging").
    private WalkFormat(ulong cr0, ulong cr3, ulong cr4, int physBits)
        : this(WalkTable.X86Legacy, cr3 & LegacyRootMask, LegacyLevels, physBits, LegacyAddressBits, false)
    {
        WriteProtect = (cr0 & Cr0WriteProtect) != 0;
        Smep = (cr4 & Cr4Smep) != 0;
        Smap = (cr4 & Cr4Smap) != 0;
        HasNoExecute = false;
        if ((cr4 & Cr4PageSizeExtensions) == 0) LeafLevels = 0;
        int highBits = Math.Min(physBits - LegacyAddressBits, WalkBits.Pse36Bits);
        ulong usable = ((1UL << highBits) - 1) << WalkBits.Pse36Shift;
        _reserved[Paging.PdLevel] = WalkBits.Pse36Field & ~usable;
    }

    private static int AddressBitsOf(int levels) =>
        levels == PaeLevels ? LegacyAddressBits : Paging.PageShift + Paging.IndexBits * levels;

    private static void RequireLevels(int levels, string parameter)
    {
        if (levels is not (FourLevels or FiveLevels))
        {
            throw new ArgumentException($"The tables have {levels} levels; walks know {FourLevels} and {FiveLevels}.",
                parameter);
        }
    }
}
