using Pagoda.Core;

namespace Pagoda.Physical;

/// <summary>What answers accesses to a device range. Called by any thread whose guest touches the range.</summary>
/// <remarks>A model that allocates on the managed heap makes the accesses to it allocate.</remarks>
[AllocationFree]
public interface IDeviceMemory
{
    /// <summary>A read of <paramref name="size"/> bytes: 1, 2, 4 or 8.</summary>
    /// <param name="offset">Bytes from the start of the range; the access ends inside it.</param>
    /// <param name="size">Bytes.</param>
    /// <returns>The value, in its low bytes.</returns>
    ulong Read(ulong offset, int size);

    /// <summary>A write of <paramref name="size"/> bytes: 1, 2, 4 or 8.</summary>
    /// <param name="offset">Bytes from the start of the range; the access ends inside it.</param>
    /// <param name="size">Bytes.</param>
    /// <param name="value">The value, in its low bytes.</param>
    void Write(ulong offset, int size, ulong value);
}
