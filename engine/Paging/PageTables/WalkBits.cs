namespace Pagoda.PageTables;

/// <summary>What a processor checks and reports beyond the bits of an entry. Used by the walker alone.</summary>
internal static class WalkBits
{
    /// <summary>EPT rights and memory type: the bits whose combinations may be illegal.</summary>
    public const ulong EptLow = EptBits.Rights | EptBits.MemoryTypeMask;

    /// <summary>EPTP bits 2:0, the memory type of the tables.</summary>
    public const ulong EptpMemoryTypeMask = 7;

    /// <summary>EPTP bits 11:7, whose features are not modelled.</summary>
    public const ulong EptpReserved = 0xF80;

    public const ulong TypeUncacheable = 0;
    public const ulong TypeReserved2 = 2;
    public const ulong TypeReserved3 = 3;
    public const ulong TypeWriteBack = 6;
    public const ulong TypeReserved7 = 7;

    /// <summary>Exit qualification bits 5:3, the rights of the guest-physical address.</summary>
    public const int QualificationRightsShift = 3;

    /// <summary>Exit qualification bit 7: a linear address belongs to the access.</summary>
    public const ulong QualificationLinear = 1UL << 7;

    /// <summary>Exit qualification bit 8: the access was to the final address, not to a paging structure.</summary>
    public const ulong QualificationFinal = 1UL << 8;

    /// <summary>PAE: bits 62:52 of an entry are reserved.</summary>
    public const ulong PaeReserved = 0x7FFUL << 52;

    /// <summary>PAE: bits 2:1 and 8:5 of a PDPTE are reserved.</summary>
    public const ulong PaePdpteReserved = 0x1E6;

    /// <summary>32-bit paging: bits 20:13 of a 4 MiB leaf hold address bits 39:32; bit 21 is reserved.</summary>
    public const int Pse36Shift = 13;
    public const int Pse36Bits = 8;
    public const ulong Pse36Field = 0x1FFUL << Pse36Shift;

    public const ulong ErrorPresent = 1UL << 0;
    public const ulong ErrorWrite = 1UL << 1;
    public const ulong ErrorUser = 1UL << 2;
    public const ulong ErrorReserved = 1UL << 3;
    public const ulong ErrorFetch = 1UL << 4;

    /// <summary>EXITINFO1 bit 32: the fault was at the final address.</summary>
    public const ulong ExitFinal = 1UL << 32;

    /// <summary>EXITINFO1 bit 33: the fault was at a guest page table.</summary>
    public const ulong ExitGuestTable = 1UL << 33;
}
