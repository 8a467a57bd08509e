using System.IO;
using Pagoda.Cli;
using Pagoda.Tests.Machine.Devices;

namespace Pagoda.Tests.Cli;

/// <summary>What a command line ended with.</summary>
internal readonly record struct CliResult(int Status, string Output, string Error, string Console);

/// <summary>Runs command lines inside the test process, with captured streams.</summary>
internal static class CliRunner
{
    public static CliResult Run(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var console = new CollectingSink();
        int status = CommandLine.Run(arguments, new CliEnvironment(output, error, console, IsTerminal: false));
        return new CliResult(status, output.ToString(), error.ToString(), console.Text);
    }
}
