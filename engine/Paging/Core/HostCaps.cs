using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using System.Runtime.InteropServices;

namespace Pagoda.Core;

/// <summary>Facts of the processor and system that the engine runs on, read once.</summary>
public static class HostCaps
{
    /// <summary>The engine supports Linux on x64; anything else is refused with a clear message.</summary>
    public static bool IsSupported { get; } =
        System.OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64;

    /// <summary>Streaming stores of 64 bytes.</summary>
    public static bool HasVector512 { get; } = Vector512.IsHardwareAccelerated;

    /// <summary>Streaming stores of 32 bytes.</summary>
    public static bool HasVector256 { get; } = Avx.IsSupported;

    /// <summary>Refuses hosts that the engine was not built for.</summary>
    /// <exception cref="System.PlatformNotSupportedException">Not Linux on x64.</exception>
    public static void RequireSupported()
    {
        if (!IsSupported)
        {
            throw new System.PlatformNotSupportedException("Pagoda runs on Linux on x64; this host is "
                + RuntimeInformation.OSDescription + " on " + RuntimeInformation.ProcessArchitecture + ".");
        }
    }
}
