namespace Pagoda.Cli;

/// <summary>The exit statuses of every command.</summary>
internal static class ExitStatus
{
    /// <summary>The command did what it was asked for.</summary>
    internal const int Success = 0;

    /// <summary>Bad arguments or input: one line on standard error says which and what to do.</summary>
    internal const int BadInput = 2;

    /// <summary>The run's time was up.</summary>
    internal const int Timeout = 3;

    /// <summary>The guest died, a self-check failed, or the guest halted before the awaited text.</summary>
    internal const int GuestDied = 4;
}
