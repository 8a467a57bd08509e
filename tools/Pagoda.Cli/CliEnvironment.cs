using System.IO;
using Pagoda.Machine.Devices;

namespace Pagoda.Cli;

/// <summary>Where a command writes. Tests bring writers of their own.</summary>
/// <param name="Output">Standard output, for tables and answers.</param>
/// <param name="Error">Standard error, for one-line errors and the live line.</param>
/// <param name="Console">Where a guest's serial bytes go.</param>
/// <param name="IsTerminal">True when standard error is a terminal that can show a live line.</param>
internal sealed record CliEnvironment(TextWriter Output, TextWriter Error, IConsoleSink Console, bool IsTerminal)
{
    /// <summary>The process's own streams.</summary>
    internal static CliEnvironment ForProcess() => new(System.Console.Out, System.Console.Error,
        new DescriptorSink(DescriptorSink.StandardOutput), !System.Console.IsErrorRedirected);
}
