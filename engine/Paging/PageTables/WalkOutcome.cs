namespace Pagoda.PageTables;

/// <summary>How a walk ended.</summary>
public enum WalkOutcome : byte
{
    /// <summary>The access is allowed and translated.</summary>
    Ok = 0,

    /// <summary>EPT violation; Info is the exit qualification. SDM volume 3, "EPT Violations".</summary>
    Violation,

    /// <summary>EPT misconfiguration; Info is 0. SDM volume 3, "EPT Misconfigurations".</summary>
    Misconfiguration,

    /// <summary>Nested page fault; Info is EXITINFO1. APM volume 2, "Nested versus Guest Page Faults".</summary>
    NestedFault,

    /// <summary>#PF; Info is the error code. SDM volume 3, "Page-Fault Exceptions".</summary>
    PageFault,

    /// <summary>The address is not canonical: #GP(0), or #SS(0) for a stack access.</summary>
    GeneralProtection,

    /// <summary>A table entry lies outside the memory that was given; Hpa is where.</summary>
    Outside,
}

/// <summary>What a nested walk translates.</summary>
public enum WalkKind : byte
{
    /// <summary>The final address of an access.</summary>
    FinalAccess = 0,

    /// <summary>An entry of a guest paging structure.</summary>
    GuestPageTable,
}

/// <summary>Which tables a root register points to.</summary>
public enum WalkTable : byte
{
    /// <summary>No tables: a linear address is the physical address.</summary>
    Unpaged = 0,

    /// <summary>x86 with two levels of 4-byte entries.</summary>
    X86Legacy,

    /// <summary>x86 PAE: four PDPTEs, then two levels of 8-byte entries.</summary>
    X86Pae,

    /// <summary>x86 in long mode, 4 or 5 levels.</summary>
    X86Long,

    /// <summary>AMD nested paging, 4 or 5 levels.</summary>
    Npt,

    /// <summary>Intel EPT, 4 or 5 levels.</summary>
    Ept,
}
