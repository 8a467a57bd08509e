namespace Pagoda.GuestAccess;

/// <summary>What a host knows about the use of guest memory.</summary>
public enum Advice : byte
{
    /// <summary>It will be used: what was taken out of memory is read back now.</summary>
    WillNeed = 0,

    /// <summary>It will not be used for a while: it is the first to be taken out of memory.</summary>
    Cold,

    /// <summary>
    /// Its content is no longer needed: frames and slots are freed, and the next touch finds zeros. Memory that others
    /// show too loses its content there as well.
    /// </summary>
    Discard,

    /// <summary>
    /// All of it is brought into memory and mapped, so that a first touch takes no fault, or under emulated accessed
    /// and dirty bits no more than sets one.
    /// </summary>
    Populate,
}
