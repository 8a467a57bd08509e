namespace Pagoda.Cli;

/// <summary>The command line: <c>pagoda run</c>, <c>pagoda replay</c> and <c>pagoda inspect</c>.</summary>
internal static class Program
{
    internal static int Main(string[] args) => CommandLine.Run(args, CliEnvironment.ForProcess());
}
