using System.Globalization;

namespace Pagoda.Core;

/// <summary>
/// A host-physical byte address: an address in the engine's own space, not the machine's. [0, arena bytes) is the
/// arena; device memory lies from the arena's device base on.
/// </summary>
[method: AllocationFree]
public readonly struct Hpa(ulong value)
{
    /// <summary>The address in bytes.</summary>
    public readonly ulong Value = value;

    /// <summary>The address in hexadecimal, as errors print it.</summary>
    public override string ToString() => "HPA 0x" + Value.ToString("x", CultureInfo.InvariantCulture);
}
