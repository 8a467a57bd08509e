using Pagoda.Core;

namespace Pagoda.PageTables;

/// <summary>
/// A held lock of one window. Pass it on by reference: demoting a 1 GiB leaf under it moves the lock.
/// </summary>
/// <remarks>
/// Held inside one stay in a consumer slot, by one thread, for a few hundred instructions. A holder takes no second one
/// and waits for nothing. The default value is no lock.
/// </remarks>
[AllocationFree]
public readonly unsafe struct WindowLock
{
    internal ulong* Entry { get; init; }

    internal uint TablePfn { get; init; }

    internal int Level { get; init; }

    /// <summary>A lock is held.</summary>
    public bool IsHeld => Entry != null;
}
