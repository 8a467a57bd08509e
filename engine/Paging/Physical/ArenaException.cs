using System;

namespace Pagoda.Physical;

/// <summary>
/// The system refused an arena what its options ask for. The message says which option, and what to do.
/// </summary>
public sealed class ArenaException(string option, int errno, string message) : Exception(message)
{
    /// <summary>The member of <see cref="ArenaOptions"/> that could not be satisfied.</summary>
    public string Option { get; } = option;

    /// <summary>What the system said; 0 when it was not the system.</summary>
    public int Errno { get; } = errno;
}
