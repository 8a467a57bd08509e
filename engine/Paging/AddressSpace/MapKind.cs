namespace Pagoda.AddressSpace;

/// <summary>What stands behind a map entry.</summary>
public enum MapKind : byte
{
    /// <summary>Pages of a VM object, in arena frames.</summary>
    Memory = 0,

    /// <summary>A device range: addresses at or above the arena's device base, mapped uncached and unmanaged.</summary>
    Device = 1,
}
