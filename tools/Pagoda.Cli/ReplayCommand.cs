using System;
using System.CommandLine;
using System.IO;
using Pagoda.Linux;
using Pagoda.Machine.Dump;
using Pagoda.Machine.Replay;

namespace Pagoda.Cli;

/// <summary><c>pagoda replay</c>: replays a trace of memory accesses in a guest, or converts it.</summary>
internal static class ReplayCommand
{
    private const string StandardInput = "-";

    /// <summary>The command with its options.</summary>
    internal static Command Create(CliEnvironment environment)
    {
        var command = new Command("replay", "Replays a trace of memory accesses in a guest.");
        ReplayArguments.AddTo(command);
        command.SetAction(parsed => Execute(ReplayArguments.From(parsed), environment));
        return command;
    }

    private static int Execute(ReplayArguments arguments, CliEnvironment environment)
    {
        using Stream stream = Open(arguments.Trace);
        using var input = new TraceInput(stream);
        return Guarded(arguments.Trace, () =>
        {
            ITraceReader reader = CompactReader.IsCompact(input) ? new CompactReader(input) : new LackeyReader(input);
            return arguments.Convert is null
                ? Replay(arguments, reader, environment)
                : Convert(arguments, reader, environment);
        });
    }

    private static int Replay(ReplayArguments arguments, ITraceReader reader, CliEnvironment environment)
    {
        var options = new ReplayOptions
        {
            MemoryBytes = arguments.MemoryBytes,
            ArenaBytes = arguments.ArenaBytes,
            Tables = arguments.Tables,
            HardwareAd = arguments.HardwareAd,
            Superpages = arguments.Superpages,
            Policy = arguments.Policy,
            ResidentBytes = arguments.ResidentBytes,
            Swap = arguments.Swap,
            ResetSwap = arguments.ResetSwap,
            Seed = arguments.Seed,
            Verify = arguments.Verify,
        };
        ReportFile? json = arguments.Json is null ? null : new ReportFile("--json", arguments.Json);
        using TraceReplay replay = MachineErrors.Named(null, () => new TraceReplay(options));
        MachineErrors.Warmed(() => TraceReplay.Warm(options));
        ReplayResult result = replay.Run(reader);
        if (result.AccessCount == 0 && result.End == ReplayEnd.Complete) throw NoAccesses(arguments.Trace);
        json?.Write(ReplayReport.ToJson(options, result).Span);
        if (!arguments.Quiet) ReplayTable.Write(environment.Output, !Console.IsOutputRedirected, result);
        if (result.Message.Length > 0) environment.Error.WriteLine("pagoda: " + result.Message);
        return result.End switch
        {
            ReplayEnd.Complete => ExitStatus.Success,
            ReplayEnd.MemoryTooSmall => ExitStatus.BadInput,
            _ => ExitStatus.GuestDied,
        };
    }

    private static int Convert(ReplayArguments arguments, ITraceReader reader, CliEnvironment environment)
    {
        string path = arguments.Convert!;
        bool isSpecial = MappedFile.KindOf(path) == Libc.FileKind.Special;
        string target = isSpecial ? path : path + ".partial";
        ulong count = 0;
        bool complete = false;
        try
        {
            count = Convert(reader, target, isSpecial);
            if (count == 0) throw NoAccesses(arguments.Trace);
            if (!isSpecial) File.Move(target, path, overwrite: true);
            complete = true;
        }
        catch (Exception exception) when (exception is UnauthorizedAccessException or DirectoryNotFoundException)
        {
            throw new CliException("--convert '" + path + "' cannot be written (" + exception.Message
                + "): name a file in a directory that takes one.", exception);
        }
        finally
        {
            if (!complete && !isSpecial && File.Exists(target)) File.Delete(target);
        }
        if (!arguments.Quiet) environment.Error.WriteLine("pagoda: " + count + " accesses converted.");
        return ExitStatus.Success;
    }

    private static ulong Convert(ITraceReader reader, string target, bool isSpecial)
    {
        using FileStream output = new(target, isSpecial ? FileMode.Open : FileMode.Create, FileAccess.Write,
            FileShare.Read, 0);
        using var writer = new CompactWriter(output);
        var records = new TraceRecord[4096];
        ulong total = 0;
        while (true)
        {
            int count = reader.Read(records);
            if (count == 0) break;
            writer.Write(records.AsSpan(0, count));
            total += (ulong)count;
        }
        writer.Flush();
        return total;
    }

    private static Stream Open(string path)
    {
        if (path == StandardInput) return Console.OpenStandardInput();
        return Guarded<Stream>(path, () =>
        {
            if (MappedFile.KindOf(path) == Libc.FileKind.Directory) throw new IOException("It is a directory.");
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 0,
                FileOptions.SequentialScan);
        });
    }

    private static T Guarded<T>(string path, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (TraceException exception)
        {
            throw new CliException("TRACE '" + path + "': " + exception.Message, exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CliException("TRACE '" + path + "' cannot be read (" + exception.Message
                + "): name a file, or - for standard input.", exception);
        }
    }

    private static CliException NoAccesses(string path) => new("TRACE '" + path + "' has no accesses: record one with "
        + "valgrind --tool=lackey --trace-mem=yes --log-file=FILE PROGRAM.");
}
