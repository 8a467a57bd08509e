namespace Pagoda.PageTables;

/// <summary>What an operation on a pmap came to. 0 is success.</summary>
public enum PmapStatus : byte
{
    /// <summary>Done.</summary>
    Ok = 0,

    /// <summary>Nothing had to be changed: the mapping was as asked for already.</summary>
    Unchanged,

    /// <summary>No frame for a table page. Unlock, leave the consumer slot, find memory, start again.</summary>
    NoFrame,

    /// <summary>Another frame, or a table with entries, is there: remove it and shoot it down first.</summary>
    Occupied,

    /// <summary>A page of the range has no mapping.</summary>
    NotMapped,

    /// <summary>The format cannot express the rights, or the access is not among them.</summary>
    Denied,
}

/// <summary>What the emulation of the accessed and dirty bits did with one access.</summary>
public enum AdEmulation : byte
{
    /// <summary>The pmap has hardware bits: the full fault path decides.</summary>
    NotEmulating = 0,

    /// <summary>No valid leaf: the full fault path decides.</summary>
    NotMapped,

    /// <summary>The leaf does not allow the access: the full fault path decides.</summary>
    Denied,

    /// <summary>The bits were set already, by another consumer: the fault is spurious.</summary>
    AlreadySet,

    /// <summary>Accessed was set in a 4 KiB leaf.</summary>
    SetAccessed,

    /// <summary>Accessed and modified were set in a 4 KiB leaf, together.</summary>
    SetModified,

    /// <summary>Accessed was set in a superpage.</summary>
    SetSuperpageAccessed,

    /// <summary>A superpage has its write right parked: it must be demoted first.</summary>
    WriteParked,
}
