using System;
using System.CommandLine;
using System.IO;
using Pagoda.Machine.Dump;

namespace Pagoda.Cli;

/// <summary><c>pagoda inspect</c>: shows, explains and probes page tables in a dump or an image.</summary>
internal static class InspectCommand
{
    /// <summary>The command with its options.</summary>
    internal static Command Create(CliEnvironment environment)
    {
        var file = new Argument<string>("FILE")
        {
            Description = "A core that 'pagoda run --dump' wrote or, with --raw, a flat image of physical memory.",
        };
        var options = new InspectOptionSet();
        var command = new Command("inspect", "Shows the page tables in a dump, explains one translation, or probes.")
        {
            file,
        };
        options.AddTo(command);
        command.SetAction(parsed =>
        {
            InspectOptions chosen = options.Read(parsed, parsed.GetRequiredValue(file));
            Run(chosen, environment);
            return ExitStatus.Success;
        });
        return command;
    }

    private static void Run(InspectOptions options, CliEnvironment environment)
    {
        // All input is read before the first line of output.
        Probe[] probes = options.Probe is null ? [] : ProbeFile.Read(options.Probe);
        using InspectImage image = Open(options);
        if (options.Probe is not null)
        {
            InspectRoot root = image.Choose(options);
            ProbeFile.Check(options.Probe, probes, root.Format);
            InspectProbe.Run(image.Memory, root.Format, probes, options.Json, environment.Output);
            return;
        }
        if (options.Walk is ulong address)
        {
            InspectWalk.Run(image.Memory, image.Choose(options), address, options.Json, environment.Output);
            return;
        }
        InspectRoot[] shown = options.Root is null ? image.Roots : [image.Choose(options)];
        foreach (InspectRoot root in shown) InspectTree.Run(image.Memory, root, options.Json, environment.Output);
    }

    private static InspectImage Open(InspectOptions options)
    {
        try
        {
            return options.IsRaw ? InspectImage.OpenRaw(options) : InspectImage.OpenCore(options);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CliException("FILE: " + exception.Message + " Name a file that can be read.", exception);
        }
    }
}
