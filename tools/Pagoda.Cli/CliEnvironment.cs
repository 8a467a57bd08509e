using System;
using System.IO;

namespace Pagoda.Cli;

/// <summary>Where a command writes. Tests bring writers of their own.</summary>
/// <param name="Output">Standard output, for tables and answers.</param>
/// <param name="Error">Standard error, for one-line errors and the live line.</param>
/// <param name="IsTerminal">True when standard error is a terminal that can show a live line.</param>
internal sealed record CliEnvironment(TextWriter Output, TextWriter Error, bool IsTerminal)
{
    /// <summary>The process's own streams.</summary>
    internal static CliEnvironment ForProcess() => new(Console.Out, Console.Error, !Console.IsErrorRedirected);
}
