using System.CommandLine;

namespace Pagoda.Cli;

/// <summary><c>pagoda run</c>: runs a guest until it ends, is cut off, or prints an awaited text.</summary>
internal static partial class RunCommand
{
    /// <summary>The command with its options.</summary>
    internal static Command Create(CliEnvironment environment)
    {
        var command = new Command("run", "Runs a guest; its serial console goes to standard output.");
        command.SetAction(_ =>
        {
            environment.Error.WriteLine("pagoda: no machine is built in.");
            return ExitStatus.BadInput;
        });
        return command;
    }
}
