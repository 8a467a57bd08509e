namespace Pagoda.AddressSpace;

/// <summary>Why a page is lost: the payload of a Poisoned word.</summary>
public enum PoisonReason : byte
{
    /// <summary>Its pager could not read it.</summary>
    PagerRead = 1,
}
