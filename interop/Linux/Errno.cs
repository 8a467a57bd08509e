using System.Globalization;
using System.Runtime.InteropServices;

namespace Pagoda.Linux;

/// <summary>The errno values that the engine tells apart; names as in errno.h.</summary>
public static class Errno
{
    /// <summary>Operation not permitted.</summary>
    public const int EPERM = 1;

    /// <summary>Interrupted by a signal: call again.</summary>
    public const int EINTR = 4;

    /// <summary>No such device or address; of a seek, nothing there.</summary>
    public const int ENXIO = 6;

    /// <summary>A resource is short at this moment: call again.</summary>
    public const int EAGAIN = 11;

    /// <summary>Out of memory.</summary>
    public const int ENOMEM = 12;

    /// <summary>Invalid argument.</summary>
    public const int EINVAL = 22;

    /// <summary>No space left on the device.</summary>
    public const int ENOSPC = 28;

    /// <summary>A wait with a bound reached it.</summary>
    public const int ETIMEDOUT = 110;

    /// <summary>The system's text and the number, as errors print them: "Cannot allocate memory (errno 12)".</summary>
    public static string Describe(int errno) =>
        Marshal.GetPInvokeErrorMessage(errno) + " (errno " + errno.ToString(CultureInfo.InvariantCulture) + ")";
}
