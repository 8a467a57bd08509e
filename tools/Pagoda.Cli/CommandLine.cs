using System;
using System.CommandLine;
using Pagoda.Core;

namespace Pagoda.Cli;

/// <summary>Parses the arguments, runs the command and turns every failure into a status and a line.</summary>
internal static class CommandLine
{
    /// <summary>Runs one command line; returns the exit status. Never throws.</summary>
    internal static int Run(string[] args, CliEnvironment environment)
    {
        try
        {
            HostCaps.RequireSupported();
            return Invoke(args, environment);
        }
        catch (Exception exception) when (exception is CliException or PlatformNotSupportedException)
        {
            environment.Error.WriteLine("pagoda: " + OneLine(exception.Message));
            return ExitStatus.BadInput;
        }
#pragma warning disable CA1031 // The last resort: whatever broke, the user gets a status and the whole story.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            environment.Error.WriteLine("pagoda: internal error: " + exception);
            return ExitStatus.GuestDied;
        }
    }

    private static int Invoke(string[] args, CliEnvironment environment)
    {
        var root = new RootCommand("Pagoda: a nested-paging engine. Runs guests and explains page tables.")
        {
            RunCommand.Create(environment),
            ReplayCommand.Create(environment),
            InspectCommand.Create(environment),
        };
        // '@' and bundled letters mean nothing here: "--until @x" waits for "@x".
        var parser = new ParserConfiguration { EnablePosixBundling = false, ResponseFileTokenReplacer = null };
        ParseResult parsed = root.Parse(args, parser);
        if (parsed.Errors.Count > 0)
        {
            Command chosen = parsed.CommandResult.Command;
            string command = chosen == root ? "pagoda" : "pagoda " + chosen.Name;
            string what = parsed.UnmatchedTokens.Count > 0
                ? "unknown command, option or argument '" + parsed.UnmatchedTokens[0] + "'."
                : parsed.Errors[0].Message;
            throw new CliException(what + " Try '" + command + " --help'.");
        }
        return parsed.Invoke(new InvocationConfiguration
        {
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
            Output = environment.Output,
            Error = environment.Error,
        });
    }

    private static string OneLine(string message) => message.ReplaceLineEndings(" ").Trim();
}
