namespace Pagoda.Faults;

/// <summary>How one fault ended. The first three mean that the access is allowed now.</summary>
public enum FaultStatus : byte
{
    /// <summary>The page is mapped now.</summary>
    Resolved = 0,

    /// <summary>The page was mapped already: another consumer was faster.</summary>
    Spurious,

    /// <summary>The accessed or modified bit was set by software.</summary>
    Emulated,

    /// <summary>No map entry holds the address: a device model's business.</summary>
    NoMapping,

    /// <summary>The map does not allow the access.</summary>
    Protection,

    /// <summary>No frame is free. Nothing was changed; the same fault may succeed later.</summary>
    OutOfMemory,

    /// <summary>The page was lost earlier.</summary>
    Poisoned,

    /// <summary>The pager could not read the page, which is lost.</summary>
    PagerError,

    /// <summary>The guest is being destroyed.</summary>
    Destroyed,
}
