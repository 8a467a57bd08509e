namespace Pagoda;

/// <summary>Where a guest's memory lies: below 3 GiB, and what does not fit from 4 GiB on.</summary>
/// <param name="LowBytes">Bytes from address 0 on.</param>
/// <param name="HighBytes">Bytes from <see cref="HighStart"/> on.</param>
public readonly record struct GuestLayout(ulong LowBytes, ulong HighBytes)
{
    /// <summary>Low memory ends here at the latest: the rest of the 32-bit space is for devices.</summary>
    public const ulong LowLimit = 3UL << 30;

    /// <summary>Where high memory starts.</summary>
    public const ulong HighStart = 4UL << 30;

    /// <summary>The layout of that many bytes.</summary>
    public static GuestLayout Of(ulong memoryBytes) => memoryBytes <= LowLimit
        ? new GuestLayout(memoryBytes, 0)
        : new GuestLayout(LowLimit, memoryBytes - LowLimit);
}
