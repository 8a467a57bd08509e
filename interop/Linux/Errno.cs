namespace Pagoda.Linux;

/// <summary>The errno values that the engine tells apart; names as in errno.h.</summary>
public static class Errno
{
    /// <summary>Operation not permitted.</summary>
    public const int EPERM = 1;

    /// <summary>Out of memory.</summary>
    public const int ENOMEM = 12;

    /// <summary>Invalid argument.</summary>
    public const int EINVAL = 22;
}
